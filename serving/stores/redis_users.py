"""What Redis holds of users: their row of a generation, and their marks."""

from collections.abc import Mapping
from typing import Final

from contracts import redis_keys
from contracts.marks import pack_marks
from serving.stores.connection import Client, unavailable_is_named
from serving.stores.protocol import MarkKey
from serving.stores.user_reads import Command, ReadPlan, UserRow, commands, decode

# `contracts.marks.merge_marks` in Redis, so that two writers never lose each other's marks. A few new marks are put at
# the end as they are: an id that stands twice reads the same, and the next merge folds it. It folds
# after a torn entry, too, where they could not be read. Of an erased user nothing is remembered.
_MERGE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local known, new = redis.call('GET', KEYS[1]) or '', ARGV[1]
local oldest, most = tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[5] == '1' and #known % 12 == 0 and #known + #new <= most * 12 then
  redis.call('APPEND', KEYS[1], new)
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return 1
end
local latest, ids = {}, {}
local function take(packed)
  for i = 1, #packed - 11, 12 do
    local id, at = packed:sub(i, i + 7), struct.unpack('<I4', packed, i + 8)
    if at >= oldest then
      if not latest[id] then ids[#ids + 1] = id end
      if not latest[id] or latest[id] < at then latest[id] = at end
    end
  end
end
take(known)
take(new)
local function before(a, b)
  if latest[a] ~= latest[b] then return latest[a] > latest[b] end
  -- As numbers, in halves: one of 64 bits is more than Lua holds, and how it compares strings depends on the locale.
  local high_a, high_b = struct.unpack('<i4', a, 5), struct.unpack('<i4', b, 5)
  if high_a ~= high_b then return high_a < high_b end
  return struct.unpack('<I4', a) < struct.unpack('<I4', b)
end
if #ids > most then table.sort(ids, before) end
local kept = {}
for i = 1, math.min(#ids, most) do kept[i] = ids[i] .. struct.pack('<I4', latest[ids[i]]) end
if #kept == 0 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], table.concat(kept), 'EX', ARGV[4])
return 1
"""
_DROP: Final = """
local known, kept = redis.call('GET', KEYS[1]), {}
if not known then return 0 end
for i = 1, #known - 11, 12 do
  if known:sub(i, i + 7) ~= ARGV[1] then kept[#kept + 1] = known:sub(i, i + 11) end
end
if #kept * 12 == #known then return 0 end
if #kept == 0 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], table.concat(kept), 'KEEPTTL')
return 1
"""
_USERS_AT_ONCE: Final = 2_000


class RedisUsers:
    """The part of the store that is about users."""

    def __init__(self, client: Client) -> None:
        self._users = client
        self._drop = client.register_script(_DROP)

    @unavailable_is_named
    def read(self, plan: ReadPlan) -> UserRow:
        asked = commands(plan)
        if not asked:
            return decode(plan, [])
        pipeline = self._users.pipeline(transaction=False)
        for command in asked:
            pipeline.execute_command(*command)
        return decode(plan, pipeline.execute())

    @unavailable_is_named
    def add_marks(
        self, key: MarkKey, marks: Mapping[int, Mapping[int, float]], oldest: float, most: int, ttl_seconds: int
    ) -> None:
        users = list(marks)
        # Called by its name, for redis-py puts no script object into a cluster's pipeline.
        merge = self._users.script_load(_MERGE)
        for start in range(0, len(users), _USERS_AT_ONCE):
            pipeline = self._users.pipeline(transaction=False)
            for user in users[start : start + _USERS_AT_ONCE]:
                # Loading a batch folds; what comes one by one is only appended.
                append = int(len(marks[user]) == 1)
                args = (pack_marks(marks[user]), oldest, most, ttl_seconds, append)
                pipeline.execute_command("EVALSHA", merge, 2, MARK_KEYS[key](user), redis_keys.erased(user), *args)
            pipeline.execute()

    @unavailable_is_named
    def drop_mark(self, key: MarkKey, user_id: int, identity: int) -> bool:
        args = [identity.to_bytes(8, "little", signed=True)]
        return bool(self._drop(keys=[MARK_KEYS[key](user_id)], args=args))


MARK_KEYS: Final = {
    MarkKey.SEEN: redis_keys.seen,
    MarkKey.PROGRESS: redis_keys.progress,
    MarkKey.HIDDEN_CONTENTS: redis_keys.hidden_contents,
    MarkKey.HIDDEN_STREAMERS: redis_keys.hidden_streamers,
}


def mark_command(key: MarkKey, user_id: int, marks: Mapping[int, float], most: int, ttl_seconds: int) -> Command:
    """`RedisUsers.add_marks` of one user as one command, for clients that send commands themselves."""
    args = (pack_marks(marks), 0, most, ttl_seconds, int(len(marks) == 1))
    return "EVAL", _MERGE, 2, MARK_KEYS[key](user_id), redis_keys.erased(user_id), *args


def drop_command(key: MarkKey, user_id: int, identity: int) -> Command:
    """`RedisUsers.drop_mark` as one command."""
    return "EVAL", _DROP, 1, MARK_KEYS[key](user_id), identity.to_bytes(8, "little", signed=True)
