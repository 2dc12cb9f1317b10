"""Published generations in Redis."""

from collections.abc import Mapping
from itertools import chain, islice
from typing import Final

import redis

from contracts import redis_keys
from contracts.errors import NoGenerationError, PublishOvertakenError
from serving.stores.connection import Client, send, unavailable_is_named
from serving.stores.hashes import Hashes
from serving.stores.protocol import Memory
from serving.stores.reader_script import reader_script
from serving.stores.resp import hset_and_expire

# Only a publish whose heartbeat beats may flip: the others' lists may have been swept. Two generations are kept.
_FLIP: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('LREM', KEYS[3], 0, ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[1])
redis.call('LTRIM', KEYS[3], 0, 1)
redis.call('DEL', KEYS[1])
return 1
"""
# The info keys share the pointer's cluster slot, so that the script may look at one whose name it only now learns.
_ROLLBACK: Final = """
local history = redis.call('LRANGE', KEYS[2], 0, 1)
if #history < 2 or redis.call('EXISTS', ARGV[1] .. history[2]) == 0 then return false end
redis.call('LPOP', KEYS[2])
redis.call('SET', KEYS[1], history[2])
return history[2]
"""
_UNLINK_AT_ONCE: Final = 500


class RedisGenerations:
    """The generation part of the store."""

    def __init__(self, client: Client) -> None:
        self._redis = client
        self._flip = client.register_script(_FLIP)
        self._rollback = client.register_script(_ROLLBACK)

    @unavailable_is_named
    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        # The heart beats before the name is known: a sweep never finds a begun generation without one.
        self.beat(generation, heartbeat_seconds)
        self._redis.sadd(redis_keys.GENERATIONS_BEGUN, generation)

    @unavailable_is_named
    def write_hashes(self, generation: str, hashes: Hashes, ttl_seconds: int) -> int:
        if not hashes.keys:
            return 0
        # The names come first, so that a publish killed in the middle leaves no key that a sweep does not know.
        names = self._redis.pipeline(transaction=False)
        names.sadd(redis_keys.generation_keys(generation), *hashes.keys)
        names.expire(redis_keys.generation_keys(generation), ttl_seconds)
        names.execute()
        fill = self._fill if isinstance(self._redis, redis.Redis) else self._fill_cluster
        return sum(fill(hashes, ttl_seconds)[::2])

    @unavailable_is_named
    def beat(self, generation: str, heartbeat_seconds: int) -> None:
        self._redis.set(redis_keys.generation_heartbeat(generation), b"1", ex=heartbeat_seconds)

    @unavailable_is_named
    def flip(self, generation: str, info: Mapping[str, str], ttl_seconds: int) -> None:
        info_key = redis_keys.generation_info(generation)
        self._redis.hset(info_key, mapping=dict(info))
        self._redis.expire(info_key, ttl_seconds)
        beat = redis_keys.generation_heartbeat(generation)
        keys = [beat, redis_keys.GENERATION_POINTER, redis_keys.GENERATION_HISTORY]
        if not self._flip(keys=keys, args=[generation]):
            self._redis.delete(info_key)
            # What was written since it was swept is left for the next sweep.
            self._redis.sadd(redis_keys.GENERATIONS_BEGUN, generation)
            raise PublishOvertakenError(
                f"generation {generation} stood still for too long while it was written; publish again"
            )

    @unavailable_is_named
    def rollback(self) -> str:
        keys = [redis_keys.GENERATION_POINTER, redis_keys.GENERATION_HISTORY]
        name = self._rollback(keys=keys, args=[redis_keys.GENERATION_INFO_PREFIX])
        if name is None:
            raise NoGenerationError("there is no earlier generation in Redis to roll back to; publish one")
        return str(name.decode())

    @unavailable_is_named
    def sweep(self) -> list[str]:
        begun = [name.decode() for name in self._redis.smembers(redis_keys.GENERATIONS_BEGUN)]
        silent = [generation for generation in begun if not self._is_alive(generation)]
        # Read last: what flips while we look stops beating only once it is in the history, and the silent cannot flip.
        kept = {name.decode() for name in self._redis.lrange(redis_keys.GENERATION_HISTORY, 0, -1)}
        dead = [generation for generation in silent if generation not in kept]
        for generation in dead:
            self._delete(generation)
        return sorted(dead)

    @unavailable_is_named
    def install_reader(self) -> str:
        sha = str(self._redis.script_load(reader_script()))
        self._redis.set(redis_keys.READER_SCRIPT, sha)
        return sha

    @unavailable_is_named
    def memory_of(self, generation: str, samples: int) -> Memory:
        names = redis_keys.generation_keys(generation)
        sampled = self._redis.srandmember(names, samples)
        pipeline = self._redis.pipeline(transaction=False)
        for key in sampled:
            # Every field, so that buckets of few large lists count as what they are.
            pipeline.execute_command("MEMORY USAGE", key, "SAMPLES", 0)
        # A hash whose last user was erased meanwhile is gone.
        used = sum(size or 0 for size in pipeline.execute())
        keys = self._redis.scard(names)
        return Memory(keys, round(used / max(1, len(sampled)) * keys))

    @unavailable_is_named
    def current_generation(self) -> str | None:
        name = self._redis.get(redis_keys.GENERATION_POINTER)
        return name.decode() if name is not None else None

    @unavailable_is_named
    def kept_generations(self) -> list[str]:
        return [name.decode() for name in self._redis.lrange(redis_keys.GENERATION_HISTORY, 0, -1)]

    @unavailable_is_named
    def generation_info(self, generation: str) -> Mapping[str, str]:
        info = self._redis.hgetall(redis_keys.generation_info(generation))
        return {name.decode(): value.decode() for name, value in info.items()}

    @unavailable_is_named
    def segment_lists(self, generation: str, surface: str) -> Mapping[str, bytes]:
        lists = self._redis.hgetall(redis_keys.segment_lists(generation, surface))
        return {name.decode(): packed for name, packed in lists.items()}

    def _fill(self, hashes: Hashes, ttl_seconds: int) -> list[int]:
        return send(self._redis, hset_and_expire(hashes, ttl_seconds), 2 * len(hashes.keys))

    def _fill_cluster(self, hashes: Hashes, ttl_seconds: int) -> list[int]:
        # redis-py finds the node of each command, and follows slots that move, only for commands as objects.
        pipeline = self._redis.pipeline(transaction=False)
        for key, fields in hashes.items():
            pipeline.execute_command("HSET", key, *chain.from_iterable(fields.items()))
            pipeline.expire(key, ttl_seconds)
        return pipeline.execute()

    def _is_alive(self, generation: str) -> bool:
        return bool(self._redis.exists(redis_keys.generation_heartbeat(generation)))

    def _delete(self, generation: str) -> None:
        keys = iter(self._redis.smembers(redis_keys.generation_keys(generation)))
        while chunk := list(islice(keys, _UNLINK_AT_ONCE)):
            # One by one, for in a cluster each has its slot.
            pipeline = self._redis.pipeline(transaction=False)
            for key in chunk:
                pipeline.unlink(key)
            pipeline.execute()
        self._redis.unlink(redis_keys.generation_keys(generation))
        self._redis.unlink(redis_keys.generation_info(generation))
        self._redis.srem(redis_keys.GENERATIONS_BEGUN, generation)
