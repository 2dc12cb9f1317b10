"""The store in Redis."""

from collections.abc import Callable, Sequence
from typing import Final

from contracts import redis_keys
from contracts.names import STREAM_IMPRESSIONS
from serving.stores.connection import Client, connect, unavailable_is_named
from serving.stores.redis_feeds import STREAM_FIELD, RedisFeeds
from serving.stores.redis_generations import RedisGenerations
from serving.stores.redis_users import RedisUsers

_PUT_EPOCH: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""


class RedisStore(RedisGenerations, RedisUsers, RedisFeeds):
    """Everything the online path keeps, in one Redis.

    Args:
        client: A client of `connect`.
        clock: As in `RedisFeeds`.
    """

    def __init__(self, client: Client, clock: Callable[[], float] | None = None) -> None:
        RedisGenerations.__init__(self, client)
        RedisUsers.__init__(self, client)
        RedisFeeds.__init__(self, client, clock)
        self._put_epoch = client.register_script(_PUT_EPOCH)

    @classmethod
    def open(cls, url: str, timeout_ms: int, clock: Callable[[], float] | None = None) -> "RedisStore":
        return cls(connect(url, timeout_ms), clock)

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
    def put_epoch(self, context: tuple[str, str], epoch: int, value: bytes, ttl_seconds: int) -> bool:
        keys = [redis_keys.posterior_epoch(*context, epoch), redis_keys.posteriors(*context)]
        return bool(self._put_epoch(keys=keys, args=[value, ttl_seconds]))

    @unavailable_is_named
    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        self._redis.xadd(stream, {STREAM_FIELD: entry}, maxlen=max_length, approximate=True)

    @unavailable_is_named
    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        entries = self._redis.xrange(stream, min=f"({after}", count=count)
        return [(identity.decode(), fields[STREAM_FIELD]) for identity, fields in entries]

    @unavailable_is_named
    def log_slate(self, request_id: str, entry: bytes, max_length: int, explain_seconds: int) -> None:
        identity = self._redis.xadd(STREAM_IMPRESSIONS, {STREAM_FIELD: entry}, maxlen=max_length, approximate=True)
        self._redis.set(redis_keys.served_slate(request_id), identity, ex=explain_seconds)

    @unavailable_is_named
    def served_slate(self, request_id: str) -> bytes | None:
        identity = self._redis.get(redis_keys.served_slate(request_id))
        entries = self._redis.xrange(STREAM_IMPRESSIONS, identity, identity) if identity is not None else []
        return entries[0][1][STREAM_FIELD] if entries else None
