"""Erased users in Redis. Every command names one key, so that a cluster serves, too."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice, product
from typing import Any, Final, TypeAlias

from contracts import redis_keys
from contracts.names import Surface
from serving.stores.connection import Client, unavailable_is_named
from serving.stores.protocol import Listed

# Looking here, Redis answers with a few entries instead of all of them.
_SEARCH: Final = """
local found, last = {}, false
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[3])) do
  last = entry[1]
  if string.find(entry[2][2], ARGV[2], 1, true) then found[#found + 1] = entry[1]; found[#found + 1] = entry[2][2] end
end
return {last, found}
"""
SEARCHED_AT_ONCE: Final = 100
"""Entries of 2.7 kB took the server 7.5 us each: it is away from requests for less than a millisecond at a time."""
_COMMANDS_AT_ONCE: Final = 2_000
Command: TypeAlias = tuple[str | bytes | int, ...]


class RedisErasure:
    """The erasure part of the store."""

    _redis: Client

    @cached_property
    def _search(self) -> Any:  # noqa: ANN401  redis-py's script
        return self._redis.register_script(_SEARCH)

    @unavailable_is_named
    def put_tombstones(self, tombstones: Mapping[int, tuple[str, int]]) -> None:
        self._run(("SET", redis_keys.erased(user), *(at, "EX", ttl)) for user, (at, ttl) in tombstones.items())

    @unavailable_is_named
    def tombstone(self, user_id: int) -> str | None:
        at = self._redis.get(redis_keys.erased(user_id))
        return at.decode() if at is not None else None

    @unavailable_is_named
    def drop_listed(self, user_ids: Sequence[int]) -> Listed:
        # Those that are being written, too: one that flips after this would bring the user back.
        begun = {name.decode() for name in self._redis.smembers(redis_keys.GENERATIONS_BEGUN)}
        kept = {name.decode() for name in self._redis.lrange(redis_keys.GENERATION_HISTORY, 0, -1)}
        generations = sorted(begun | kept)
        lists = self._run(("HDEL", key, user) for user in user_ids for key in list_keys(generations, user))
        profiles = self._run(("HDEL", key, user) for user in user_ids for key in profile_keys(generations, user))
        return Listed(lists, profiles)

    @unavailable_is_named
    def drop_keys(self, keys: Sequence[str | bytes]) -> int:
        return self._run(("UNLINK", key) for key in keys)

    @unavailable_is_named
    def search_stream(self, stream: str, part: bytes, after: str) -> tuple[str | None, list[tuple[str, bytes]]]:
        last, found = self._search(keys=[stream], args=[after, part, SEARCHED_AT_ONCE])
        entries = [(identity.decode(), text) for identity, text in zip(found[::2], found[1::2], strict=True)]
        return (last.decode() if last is not None else None), entries

    @unavailable_is_named
    def drop_entries(self, stream: str, entries: Sequence[str]) -> int:
        return self._run(("XDEL", stream, entry) for entry in entries)

    def _run(self, commands: Iterable[Command]) -> int:
        """Run commands some thousand at a time; the sum of the numbers that they answer."""
        waiting, total = iter(commands), 0
        while batch := list(islice(waiting, _COMMANDS_AT_ONCE)):
            pipeline = self._redis.pipeline(transaction=False)
            for command in batch:
                pipeline.execute_command(*command)
            total += sum(reply for reply in pipeline.execute() if isinstance(reply, int))
        return total


def list_keys(generations: Iterable[str], user_id: int) -> list[str]:
    """Every hash that can have a list of the user."""
    bucket = redis_keys.bucket_of(user_id)
    made = product(redis_keys.USER_LISTS, generations, Surface)
    return [key(generation, surface, bucket) for key, generation, surface in made]


def profile_keys(generations: Iterable[str], user_id: int) -> list[str]:
    """Every hash that can say what a generation took the user for."""
    bucket = redis_keys.bucket_of(user_id)
    return [key(generation, bucket) for key, generation in product(redis_keys.USER_PROFILES, generations)]
