"""The store in Redis."""

from collections.abc import Mapping, Sequence
from typing import Final

from contracts import redis_keys
from serving.stores.connection import Client, connect, unavailable_is_named
from serving.stores.redis_erasure import RedisErasure
from serving.stores.redis_generations import RedisGenerations

_PUT_EPOCH: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""
_STREAM_FIELD: Final = b"e"
_USERS_AT_ONCE: Final = 2_000


class RedisStore(RedisGenerations, RedisErasure):
    """Everything the online path keeps, in one Redis.

    Args:
        client: A client of `connect`.
    """

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._put_epoch = client.register_script(_PUT_EPOCH)

    @classmethod
    def open(cls, url: str, timeout_ms: int) -> "RedisStore":
        return cls(connect(url, timeout_ms))

    @unavailable_is_named
    def add_seen(self, seen: Mapping[int, Mapping[int, float]], oldest: float, ttl_seconds: int) -> None:
        for users in _chunks(list(seen)):
            pipeline = self._redis.pipeline(transaction=False)
            for user in users:
                key = redis_keys.seen(user)
                # Latest time wins, so that loading a day twice or out of order changes nothing.
                pairs = (part for content, at in seen[user].items() for part in (at, content))
                pipeline.execute_command("ZADD", key, "GT", *pairs)
                pipeline.zremrangebyscore(key, "-inf", f"({oldest}")
                pipeline.expire(key, ttl_seconds)
            pipeline.execute()

    @unavailable_is_named
    def add_hidden(self, hidden: Mapping[int, Sequence[str]], ttl_seconds: int) -> None:
        for users in _chunks(list(hidden)):
            pipeline = self._redis.pipeline(transaction=False)
            for user in users:
                pipeline.sadd(redis_keys.hidden(user), *hidden[user])
                pipeline.expire(redis_keys.hidden(user), ttl_seconds)
            pipeline.execute()

    @unavailable_is_named
    def put_leases(self, leases: Mapping[int, bytes], ttl_seconds: float) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for streamer, lease in leases.items():
            pipeline.set(redis_keys.live_lease(streamer), lease, px=max(1, round(ttl_seconds * 1000)))
        pipeline.execute()

    @unavailable_is_named
    def drop_lease(self, streamer_id: int) -> bool:
        return bool(self._redis.delete(redis_keys.live_lease(streamer_id)))

    @unavailable_is_named
    def leases(self, streamer_ids: Sequence[int]) -> list[bytes | None]:
        return list(self._redis.mget([redis_keys.live_lease(int(s)) for s in streamer_ids])) if streamer_ids else []

    @unavailable_is_named
    def posteriors(self, surface: str, segment: str) -> bytes | None:
        value: bytes | None = self._redis.get(redis_keys.posteriors(surface, segment))
        return value

    @unavailable_is_named
    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None:
        value: bytes | None = self._redis.get(redis_keys.posterior_epoch(surface, segment, epoch))
        return value

    @unavailable_is_named
    def put_epoch(self, context: tuple[str, str], epoch: int, value: bytes, ttl_seconds: int) -> bool:
        keys = [redis_keys.posterior_epoch(*context, epoch), redis_keys.posteriors(*context)]
        return bool(self._put_epoch(keys=keys, args=[value, ttl_seconds]))

    @unavailable_is_named
    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        self._redis.xadd(stream, {_STREAM_FIELD: entry}, maxlen=max_length, approximate=True)

    @unavailable_is_named
    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        entries = self._redis.xrange(stream, min=f"({after}", count=count)
        return [(identity.decode(), fields[_STREAM_FIELD]) for identity, fields in entries]


def _chunks(users: list[int]) -> list[list[int]]:
    return [users[start : start + _USERS_AT_ONCE] for start in range(0, len(users), _USERS_AT_ONCE)]
