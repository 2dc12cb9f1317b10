"""Connections to Redis with a time limit on every call, and one named error for whatever goes wrong."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contracts.errors import StoreUnavailableError

P = ParamSpec("P")
T = TypeVar("T")
Client: TypeAlias = Any
"""A `redis.Redis`; redis-py types every reply as possibly awaitable, which says nothing."""


def connect(url: str, timeout_ms: int) -> Client:
    """A client that never retries: the caller has a stated fallback and no time."""
    seconds = timeout_ms / 1000
    return redis.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
    )


def unavailable_is_named(method: Callable[P, T]) -> Callable[P, T]:
    """Turn every Redis error of a store method into `StoreUnavailableError`."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except redis.RedisError as error:
            reason = f"{type(error).__name__}: {error}"
            raise StoreUnavailableError(
                f"Redis did not answer ({reason}); is the server of redis.url up and redis.timeout_ms long enough?"
            ) from error

    return call
