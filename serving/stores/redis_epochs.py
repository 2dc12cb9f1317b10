"""The bandit's state in Redis: the current epoch of each context, followed epochs, and how far the learner is."""

from collections.abc import Sequence
from typing import Final

from contracts import redis_keys
from serving.stores.connection import Client, unavailable_is_named
from serving.stores.protocol import StoredEpoch

# Compared with what it follows, so that two updates never both count and one that stood still for days changes nothing.
# An epoch's time to live begins when it is followed: until then slates are drawn from it, however long that is.
_PUT_EPOCH: Final = """
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[2] then return 0 end
if #KEYS == 2 then redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3]) end
redis.call('SET', KEYS[1], ARGV[1])
if ARGV[4] ~= '' then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return 1
"""
_SWAP: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""


class RedisEpochs:
    """The bandit's part of the store."""

    def __init__(self, client: Client) -> None:
        self._redis = client
        self._put_epoch = client.register_script(_PUT_EPOCH)
        self._swap = client.register_script(_SWAP)

    @unavailable_is_named
    def posteriors(self, surface: str, segment: str) -> bytes | None:
        value: bytes | None = self._redis.get(redis_keys.posteriors(surface, segment))
        return value

    @unavailable_is_named
    def all_posteriors(self, contexts: Sequence[tuple[str, str]]) -> list[bytes | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for surface, segment in contexts:
            pipeline.get(redis_keys.posteriors(surface, segment))
        return list(pipeline.execute())

    @unavailable_is_named
    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None:
        value: bytes | None = self._redis.get(redis_keys.posterior_epoch(surface, segment, epoch))
        return value

    @unavailable_is_named
    def put_epoch(
        self,
        context: tuple[str, str],
        packed: bytes,
        follows: StoredEpoch | None,
        ttl_seconds: int,
        keep_seconds: int | None = None,
    ) -> bool:
        keys = [redis_keys.posteriors(*context)]
        if follows is not None:
            keys.append(redis_keys.posterior_epoch(*context, follows.epoch))
        before = follows.packed if follows is not None else b""
        return bool(self._put_epoch(keys=keys, args=[packed, before, ttl_seconds, keep_seconds or ""]))

    @unavailable_is_named
    def learner(self) -> bytes | None:
        value: bytes | None = self._redis.get(redis_keys.LEARNER)
        return value

    @unavailable_is_named
    def put_learner(self, state: bytes, follows: bytes | None) -> bool:
        return bool(self._swap(keys=[redis_keys.LEARNER], args=[state, follows or b""]))
