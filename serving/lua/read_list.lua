-- Reads a candidate list out of Redis as JSON, for clients in any language (docs/serving.md).
--
--   one server:  EVALSHA sha 1 sr:{generations}:current SURFACE USER      the list to show; USER '' is nobody known
--   a cluster:   EVALSHA sha 1 HASH FIELD [FIELD ...]                     the first field that holds a readable list
--
-- Ids are JSON strings: numbers are doubles in many parsers, and here. An int64 is held as four 16-bit words, lowest
-- first. Lua 5.1 of Redis 6.2; nothing is written.

-- Positions are codes (contracts/payload.py).
local KINDS = {'live', 'vod', 'clip', 'streamer'}
local SOURCES = {
  'preferred', 'two_tower', 'popular', 'live_neighbors', 'related_streamers', 'representative', 'fresh',
  'exploration/co_watched', 'exploration/category_rising', 'exploration/newcomer', 'exploration/lapsed', 'co_watched', 'continue_watching',
  'stand_in',
}
-- As in contracts/packed_user.py.
local SEGMENTS = {'all', 'new', 'light', 'heavy'}
local HEADER_BYTES = 32
local POINTER = 'sr:{generations}:current'

local function words_at(text, start, bytes)
  local words = {0, 0, 0, 0}
  for place = bytes, 1, -1 do
    local word = math.floor((place + 1) / 2)
    words[word] = words[word] * 256 + text:byte(start + place - 1)
  end
  return words
end

local function sum(a, b)
  local words, carry = {}, 0
  for place = 1, 4 do
    local total = a[place] + b[place] + carry
    words[place] = total % 65536
    carry = math.floor(total / 65536)
  end
  return words
end

local function negated(words)
  local flipped = {}
  for place = 1, 4 do flipped[place] = 65535 - words[place] end
  return sum(flipped, {1, 0, 0, 0})
end

-- Decimal digits of a signed word quadruple, exactly.
local function decimal(words)
  local sign = ''
  if words[4] >= 32768 then sign, words = '-', negated(words) end
  if words[4] < 32 then  -- below 2^53 a double is exact
    return sign .. string.format('%.0f', ((words[4] * 65536 + words[3]) * 65536 + words[2]) * 65536 + words[1])
  end
  local digits, rest = '', {words[1], words[2], words[3], words[4]}
  for _ = 1, 3 do
    local remainder = 0
    for place = 4, 1, -1 do
      local current = remainder * 65536 + rest[place]
      rest[place] = math.floor(current / 10000000)
      remainder = current - rest[place] * 10000000
    end
    digits = string.format('%07d', remainder) .. digits
  end
  return sign .. digits:gsub('^0+', '')
end

-- The bucket of a user, floor(id / 256), or nil where the text is no int64.
local function bucket_of(text)
  local sign, digits = text:match('^(%-?)(%d+)$')
  if not digits or #digits > 19 then return nil end
  local words = {0, 0, 0, 0}
  for digit in digits:gmatch('%d') do
    local carry = tonumber(digit)
    for place = 1, 4 do
      local total = words[place] * 10 + carry
      words[place] = total % 65536
      carry = math.floor(total / 65536)
    end
  end
  if sign == '-' then words = negated(words) end
  if decimal(words) ~= text then return nil end
  local high = words[4] >= 32768 and 255 or 0
  local shifted = {}
  for place = 1, 4 do
    local above = place < 4 and words[place + 1] % 256 or high
    shifted[place] = math.floor(words[place] / 256) + above * 256
  end
  return decimal(shifted)
end

local function ids_at(text, start, count, width, base)
  local ids = {}
  for place = 1, count do ids[place] = decimal(sum(words_at(text, start + (place - 1) * width, width), base)) end
  return ids
end

local WIDTHS = {[1] = true, [2] = true, [4] = true, [8] = true}

-- The header's fields, or nil and what is wrong.
local function head_of(packed)
  if #packed < HEADER_BYTES then return nil, 'shorter than a header' end
  local head = {}
  head.version, head.item_width, head.flags, head.streamer_width, head.count, head.distinct = struct.unpack('<BBBBHH', packed)
  head.low, head.high = struct.unpack('<ff', packed, 25)
  if head.version ~= 1 then return nil, 'payload version ' .. head.version end
  head.own = head.flags % 2 == 1
  if not WIDTHS[head.item_width] or not (head.own or WIDTHS[head.streamer_width]) then return nil, 'id widths' end
  head.index_width = head.distinct <= 256 and 1 or 2
  local owned = head.own and 0 or head.distinct * head.streamer_width + head.count * head.index_width
  if #packed ~= HEADER_BYTES + head.count * (head.item_width + 2) + owned then return nil, 'length' end
  local range = head.high - head.low
  if range ~= range or math.abs(head.low) == math.huge or math.abs(head.high) == math.huge then return nil, 'scores' end
  return head
end

-- The items of a packed list as JSON, or nil and what is wrong.
local function items_of(packed)
  local head, wrong = head_of(packed)
  if not head then return nil, wrong end
  local at = HEADER_BYTES + 1
  local ids = ids_at(packed, at, head.count, head.item_width, words_at(packed, 9, 8))
  at = at + head.count * head.item_width
  local streamers, index_at = ids, nil
  if not head.own then
    streamers = ids_at(packed, at, head.distinct, head.streamer_width, words_at(packed, 17, 8))
    index_at = at + head.distinct * head.streamer_width
    at = index_at + head.count * head.index_width
  end
  local step, items = (head.high - head.low) / 255, {}
  for place = 1, head.count do
    local owner = place
    if index_at then owner = words_at(packed, index_at + (place - 1) * head.index_width, head.index_width)[1] + 1 end
    local code = packed:byte(at + place - 1)
    local source = SOURCES[code % 64 + 1]
    if not source or not streamers[owner] then return nil, 'source or streamer' end
    items[place] = string.format(
      '{"kind":"%s","id":"%s","streamer":"%s","source":"%s","score":%.9g}', KINDS[math.floor(code / 64) + 1], ids[place],
      streamers[owner], source, head.low + packed:byte(at + head.count + place - 1) * step
    )
  end
  return '[' .. table.concat(items, ',') .. ']'
end

local notes = {}

local function answer(generation, level, field, items)
  local parts = {}
  for _, pair in ipairs({{'generation', generation}, {'level', level}, {'field', field}}) do
    parts[#parts + 1] = '"' .. pair[1] .. '":' .. (pair[2] and cjson.encode(pair[2]) or 'null')
  end
  parts[#parts + 1] = '"notes":' .. (#notes > 0 and cjson.encode(notes) or '[]')
  return '{' .. table.concat(parts, ',') .. ',"items":' .. (items or '[]') .. '}'
end

-- The first field of a hash that holds a readable list, and its items.
local function first_of(key, fields)
  for _, field in ipairs(fields) do
    local packed = redis.call('HGET', key, field)
    if packed then
      local items, wrong = items_of(packed)
      if items then return field, items end
      notes[#notes + 1] = 'the list of ' .. field .. ' cannot be read: ' .. wrong
    end
  end
end

local function level_of(key, field)
  if key:sub(1, 5) == 'sr:l:' then return 'personal' end
  if key:sub(1, 5) == 'sr:s:' then return field == 'all' and 'all' or 'segment' end
  return 'target'
end

local function from_hash(key, fields)
  local field, items = first_of(key, fields)
  return answer(key:match('^sr:%a:([^:]+):'), field and level_of(key, field), field, items)
end

-- The segment in what the batch says of a user.
local function segment_of(packed)
  local is_known = packed and packed:byte(1) == 1 and packed:byte(2)
  return is_known and SEGMENTS[packed:byte(2) + 1] or 'new'
end

-- Personal, else the list of the user's segment, else that of everybody; an erased user is nobody known.
local function from_generation(surface, user)
  local generation = redis.call('GET', POINTER)
  if not generation then
    notes[1] = 'nothing is published'
    return answer(nil, nil, nil, nil)
  end
  local fields, bucket = {'all'}, bucket_of(user)
  if bucket and redis.call('EXISTS', 'sr:erased:{' .. user .. '}') == 0 then
    local key = 'sr:l:' .. generation .. ':{' .. surface .. ':' .. bucket .. '}'
    local field, items = first_of(key, {user})
    if field then return answer(generation, 'personal', field, items) end
    table.insert(fields, 1, segment_of(redis.call('HGET', 'sr:u:' .. generation .. ':{' .. bucket .. '}', user)))
  end
  local key = 'sr:s:' .. generation .. ':{' .. surface .. '}'
  local field, items = first_of(key, fields)
  return answer(generation, field and level_of(key, field), field, items)
end

if KEYS[1] == POINTER then return from_generation(ARGV[1], ARGV[2] or '') end
return from_hash(KEYS[1], ARGV)
