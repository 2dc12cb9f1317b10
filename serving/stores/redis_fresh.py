"""Fresh contents in Redis."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from contracts import redis_keys
from serving.stores.connection import Client, unavailable_is_named
from serving.stores.fresh import FRESH_KEYS, FreshChange

_APPLY: Final = """
-- KEYS: items, changes, position
-- ARGV: position before, position after, length of the feed, number of puts, then id and item of each, then ids that go
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[3], ARGV[2])
local ids, puts = {}, tonumber(ARGV[4])
for i = 5, 4 + 2 * puts, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  ids[#ids + 1] = ARGV[i]
end
for i = 5 + 2 * puts, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  ids[#ids + 1] = ARGV[i]
end
if #ids > 0 then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'e', table.concat(ids, ' '))
end
return 1
"""
_READ_AT_ONCE: Final = 1_000


class RedisFresh:
    """The part of the store that holds fresh contents."""

    def __init__(self, client: Client) -> None:
        self._redis = client
        self._apply_fresh = client.register_script(_APPLY)

    @unavailable_is_named
    def apply_fresh(self, change: FreshChange, feed_length: int) -> bool:
        pairs = [part for pair in change.put.items() for part in pair]
        head = [change.after, change.position, feed_length, len(change.put)]
        return bool(self._apply_fresh(keys=FRESH_KEYS, args=[*head, *pairs, *change.dropped]))

    @unavailable_is_named
    def fresh_items(self, content_ids: Sequence[int] | None = None) -> dict[int, bytes]:
        if content_ids is None:
            found = self._redis.hscan_iter(redis_keys.FRESH_ITEMS, count=_READ_AT_ONCE)
            return {int(content): item for content, item in found}
        wanted, items = iter(content_ids), dict[int, bytes]()
        while chunk := list(islice(wanted, _READ_AT_ONCE)):
            values = self._redis.hmget(redis_keys.FRESH_ITEMS, chunk)
            items |= {content: item for content, item in zip(chunk, values, strict=True) if item is not None}
        return items
