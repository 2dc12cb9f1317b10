"""The store in Redis."""

from collections.abc import Callable

from contracts import redis_keys
from contracts.names import STREAM_IMPRESSIONS
from serving.stores.connection import Client, connect, unavailable_is_named
from serving.stores.event_log import RedisLog
from serving.stores.redis_epochs import RedisEpochs
from serving.stores.redis_erasure import RedisErasure
from serving.stores.redis_feeds import STREAM_FIELD, RedisFeeds
from serving.stores.redis_fresh import RedisFresh
from serving.stores.redis_generations import RedisGenerations
from serving.stores.redis_memory import RedisMemory
from serving.stores.redis_sampled import RedisSampled
from serving.stores.redis_users import RedisUsers


class RedisStore(
    RedisGenerations, RedisUsers, RedisErasure, RedisFeeds, RedisFresh, RedisEpochs, RedisLog, RedisMemory, RedisSampled
):
    """Everything the online path keeps, in one Redis.

    Args:
        client: A client of `connect`.
        clock: As in `RedisFeeds`.
    """

    def __init__(self, client: Client, clock: Callable[[], float] | None = None) -> None:
        RedisGenerations.__init__(self, client)
        RedisUsers.__init__(self, client)
        RedisFeeds.__init__(self, client, clock)
        RedisFresh.__init__(self, client)
        RedisEpochs.__init__(self, client)
        RedisLog.__init__(self, client)
        RedisSampled.__init__(self, client)

    @classmethod
    def open(cls, url: str, timeout_ms: int, clock: Callable[[], float] | None = None) -> "RedisStore":
        return cls(connect(url, timeout_ms), clock)

    @unavailable_is_named
    def log_slate(self, request_id: str, entry: bytes, max_length: int, explain_seconds: int) -> None:
        identity = self._redis.xadd(STREAM_IMPRESSIONS, {STREAM_FIELD: entry}, maxlen=max_length, approximate=True)
        self._redis.set(redis_keys.served_slate(request_id), identity, ex=explain_seconds)

    @unavailable_is_named
    def served_slate(self, request_id: str) -> bytes | None:
        identity = self._redis.get(redis_keys.served_slate(request_id))
        entries = self._redis.xrange(STREAM_IMPRESSIONS, identity, identity) if identity is not None else []
        return entries[0][1][STREAM_FIELD] if entries else None
