"""Lua scripts of leases and takedowns: each touches keys of one cluster slot. Ids stay text: Lua counts in doubles."""

from typing import Final

APPLY_LIVE: Final = """
-- KEYS: expiry, leases, ended, changes, position
-- ARGV: now, lease, memory (ms), length of the feed, position; then 7 per event:
--       verb, streamer, broadcast, started, event time, seen (ms), details
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or (time[1] * 1000 + math.floor(time[2] / 1000))
local ttl, memory = tonumber(ARGV[2]), tonumber(ARGV[3])
local function text(number) return string.format('%.0f', number) end

local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 2000)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if ARGV[5] ~= '' then redis.call('SET', KEYS[5], ARGV[5] .. ' ' .. text(now)) end

local streamers, runs = {}, {}
for i = 6, #ARGV, 7 do
  streamers[#streamers + 1] = ARGV[i + 1]
  runs[#runs + 1] = ARGV[i + 1] .. ':' .. ARGV[i + 2]
end
if #streamers == 0 then return {0, 0, 0, 0} end
local records = redis.call('HMGET', KEYS[2], unpack(streamers))
local expiries = redis.call('ZMSCORE', KEYS[1], unpack(streamers))
local ends = redis.call('ZMSCORE', KEYS[3], unpack(runs))
local lease, over = {}, {}
for i, streamer in ipairs(streamers) do
  if ends[i] then over[runs[i]] = true end
  if records[i] and expiries[i] and tonumber(expiries[i]) > now then
    local b, s, e, d = string.match(records[i], '^(%S+) (%S+) (%S+) (.*)$')
    lease[streamer] = {b = b, s = tonumber(s), e = tonumber(e), d = d, expiry = tonumber(expiries[i])}
  end
end

local touched, news, done = {}, {}, {}
local started, renewed, ended, stale = 0, 0, 0, 0
for i, streamer in ipairs(streamers) do
  local at = 6 + 7 * (i - 1)
  local verb, run, b = ARGV[at], runs[i], ARGV[at + 2]
  local cur = lease[streamer]
  if verb == 'end' then
    if b == '' and cur then
      b = cur.b
      run = streamer .. ':' .. b
    end
    if b ~= '' and not over[run] then
      over[run] = true
      done[#done + 1] = text(now + memory)
      done[#done + 1] = run
    end
    if cur and cur.b == b then
      lease[streamer] = nil
      touched[streamer], news[streamer] = true, nil
      ended = ended + 1
    else
      stale = stale + 1
    end
  else
    local s, e, d = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), ARGV[at + 6]
    local expiry = math.min(tonumber(ARGV[at + 5]) or now, now) + ttl
    local is_older = cur and cur.b ~= b and (s < cur.s or (s == cur.s and e <= cur.e))
    if over[run] or expiry <= now or is_older then
      stale = stale + 1
    elseif cur and cur.b == b then
      -- Never longer than from now on, also where the server's clock was set back.
      cur.expiry = math.min(math.max(cur.expiry, expiry), now + ttl)
      if s < cur.s then cur.s, news[streamer] = s, true end
      if d ~= '' and e >= cur.e then
        if d ~= cur.d then news[streamer] = true end
        cur.e, cur.d = e, d
      end
      touched[streamer] = true
      renewed = renewed + 1
    else
      lease[streamer] = {b = b, s = s, e = e, d = d, expiry = expiry}
      touched[streamer], news[streamer] = true, true
      started = started + 1
    end
  end
end

local lines, living, written, dropped = {}, {}, {}, {}
for streamer in pairs(touched) do
  local cur = lease[streamer]
  if cur then
    living[#living + 1] = text(cur.expiry)
    living[#living + 1] = streamer
    if news[streamer] then
      local rec = cur.b .. ' ' .. text(cur.s) .. ' ' .. text(cur.e) .. ' ' .. cur.d
      written[#written + 1] = streamer
      written[#written + 1] = rec
      lines[#lines + 1] = '+' .. streamer .. ' ' .. text(cur.expiry) .. ' ' .. rec
    else
      lines[#lines + 1] = '=' .. streamer .. ' ' .. text(cur.expiry)
    end
  else
    dropped[#dropped + 1] = streamer
    lines[#lines + 1] = '-' .. streamer
  end
end
if #living > 0 then redis.call('ZADD', KEYS[1], unpack(living)) end
if #written > 0 then redis.call('HSET', KEYS[2], unpack(written)) end
if #dropped > 0 then
  redis.call('ZREM', KEYS[1], unpack(dropped))
  redis.call('HDEL', KEYS[2], unpack(dropped))
end
if #done > 0 then redis.call('ZADD', KEYS[3], unpack(done)) end
if #lines > 0 then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'e', table.concat(lines, '\\n'))
end
return {started, renewed, ended, stale}
"""

READ_LEASES: Final = """
-- KEYS: expiry, leases   ARGV: now, streamers
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or (time[1] * 1000 + math.floor(time[2] / 1000))
local found = {}
for i = 2, #ARGV do
  local expiry = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or 0)
  local is_on = expiry > now
  found[#found + 1] = is_on and redis.call('HGET', KEYS[2], ARGV[i]) or ''
  found[#found + 1] = string.format('%.0f', expiry)
end
return found
"""

APPLY_VISIBILITY: Final = """
-- KEYS: visibility, expiry, changes, position
-- ARGV: now, time to live (ms), length of the feed, position; then 3 per change: content, event time (ms), removed 1|0
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or (time[1] * 1000 + math.floor(time[2] / 1000))
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 2000)
if #gone > 0 then
  redis.call('ZREM', KEYS[2], unpack(gone))
  redis.call('HDEL', KEYS[1], unpack(gone))
end
if ARGV[4] ~= '' then redis.call('SET', KEYS[4], ARGV[4] .. ' ' .. string.format('%.0f', now)) end
local lines = {}
for i = 5, #ARGV, 3 do
  local content, at, removed = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local known = redis.call('HGET', KEYS[1], content)
  local since, was = nil, nil
  if known then since, was = string.match(known, '^(%S+) (%S+)$') end
  -- At one and the same moment the takedown holds.
  local is_news = not known or at > tonumber(since) or (at == tonumber(since) and removed > was)
  if is_news then
    redis.call('HSET', KEYS[1], content, ARGV[i + 1] .. ' ' .. removed)
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[2])), content)
    lines[#lines + 1] = content .. ' ' .. ARGV[i + 1] .. ' ' .. removed
  end
end
if #lines > 0 then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'e', table.concat(lines, '\\n'))
end
return #lines
"""

SERVER_TIME: Final = """
return redis.call('TIME')
"""
