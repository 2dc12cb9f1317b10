"""Lists of shared contexts in Redis: which targets have one, and the slates drawn from them."""

from collections.abc import Iterator, Mapping

from contracts import redis_keys
from serving.stores.connection import Client, unavailable_is_named


class RedisSampled:
    """The part of the store for services that only read Redis."""

    def __init__(self, client: Client) -> None:
        self._redis = client

    def targets(self, generation: str, surface: str) -> Iterator[int]:
        start = redis_keys.target_lists_prefix(generation, surface)
        for key in self._names(generation):
            if key.startswith(start):
                yield from self._fields(key)

    @unavailable_is_named
    def put_sampled(self, lists: Mapping[tuple[str, str], bytes], ttl_seconds: int) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for context, body in lists.items():
            pipeline.set(redis_keys.sampled(*context), body, ex=ttl_seconds)
        pipeline.execute()

    @unavailable_is_named
    def sampled(self, surface: str, context: str) -> bytes | None:
        body: bytes | None = self._redis.get(redis_keys.sampled(surface, context))
        return body

    @unavailable_is_named
    def _names(self, generation: str) -> list[str]:
        return sorted(key.decode() for key in self._redis.smembers(redis_keys.generation_keys(generation)))

    @unavailable_is_named
    def _fields(self, key: str) -> list[int]:
        return [int(field) for field in self._redis.hkeys(key)]
