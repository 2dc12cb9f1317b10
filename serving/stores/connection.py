"""Connections to Redis with a time limit on every call, and one named error for whatever goes wrong."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from contracts.errors import StoreUnavailableError
from contracts.redis_url import is_cluster, node_url

P = ParamSpec("P")
T = TypeVar("T")
_ERRORS: Final = (redis.RedisError, RedisClusterException)
"""The second is not one of the first."""
Client: TypeAlias = Any
"""A `redis.Redis` or `redis.RedisCluster`; redis-py types every reply as possibly awaitable, which says nothing."""


def connect(url: str, timeout_ms: int) -> Client:
    """A client that never retries: the caller has a stated fallback and no time.

    Args:
        url: `redis+cluster://` and `rediss+cluster://` name any node of a Redis Cluster.
    """
    seconds = timeout_ms / 1000
    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    retry = Retry(NoBackoff(), 0)
    if not is_cluster(url):
        return redis.Redis.from_url(url, retry=retry, **options)
    return _LateCluster(partial(redis.RedisCluster.from_url, node_url(url), retry=retry, **options))


class _LateCluster:
    """A cluster's client, made when something is first asked of it: a worker may come up before its cluster does.

    redis-py's own asks the nodes as soon as it is made.

    Raises:
        StoreUnavailableError: from whatever is asked of it, while no node answers.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: Client = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a client has
        with self._lock, _named():
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)

    def register_script(self, script: str) -> Script:
        """As of any client; needs no node yet."""
        client: Client = self
        return Script(client, script.encode())

    def __enter__(self) -> "_LateCluster":
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.close()


def send(client: redis.Redis, text: memoryview, count: int) -> list[Any]:
    """The replies to commands that are written out already (`serving.stores.resp`).

    Raises:
        redis.RedisError: no connection or no answer in time, or the first of the error replies.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        # Both close the connection when they fail, so that replies nobody has read answer no other call.
        connection.send_packed_command([text])
        replies = [_reply(connection) for _ in range(count)]
    finally:
        pool.release(connection)
    for reply in replies:
        if isinstance(reply, redis.ResponseError):
            raise reply
    return replies


def _reply(connection: Any) -> Any:  # noqa: ANN401  redis-py types neither
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error


@contextmanager
def _named() -> Iterator[None]:
    """Turn every Redis error into `StoreUnavailableError`."""
    try:
        yield
    except _ERRORS as error:
        reason = f"{type(error).__name__}: {error}"
        raise StoreUnavailableError(
            f"Redis did not answer ({reason}); is the server of redis.url up and redis.timeout_ms long enough?"
        ) from error


def unavailable_is_named(method: Callable[P, T]) -> Callable[P, T]:
    """Turn every Redis error of a store method into `StoreUnavailableError`."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with _named():
            return method(*args, **kwargs)

    return call
