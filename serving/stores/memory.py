"""The memory twin of the Redis store: for tests, and for a laptop without a server."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from contracts import redis_keys
from contracts.errors import NoGenerationError, PublishOvertakenError
from contracts.marks import merge_marks, pack_marks, read_marks
from contracts.names import STREAM_IMPRESSIONS
from serving.stores.hashes import Fields, Hashes
from serving.stores.memory_epochs import MemoryEpochs
from serving.stores.memory_fresh import MemoryFresh
from serving.stores.protocol import Listed, MarkKey, Memory
from serving.stores.reader_script import reader_script
from serving.stores.redis_erasure import SEARCHED_AT_ONCE, list_keys, profile_keys
from serving.stores.redis_users import MARK_KEYS
from serving.stores.user_reads import Command, ReadPlan, Reply, UserRow, commands, decode

Clock = Callable[[], float]
Value: TypeAlias = Any
"""What a key holds depends on the key, as in Redis."""


@dataclass
class Expiring:
    """A dictionary whose values can have an end."""

    clock: Clock
    values: dict[str | bytes, tuple[Value, float]] = field(default_factory=dict)

    def put(self, key: str, value: Value, ttl_seconds: float = float("inf")) -> None:
        self.values[key] = (value, self.clock() + ttl_seconds)

    def get(self, key: str | bytes) -> Value:
        value, end = self.values.get(key, (None, 0.0))
        if value is not None and end <= self.clock():
            del self.values[key]
            return None
        return value

    def replace(self, key: str, value: Value) -> None:
        """Another value with the old end; None drops the key."""
        _, end = self.values.pop(key)
        if value is not None:
            self.values[key] = (value, end)

    def drop(self, key: str | bytes) -> bool:
        had = self.get(key) is not None
        self.values.pop(key, None)
        return had


class MemoryStore(MemoryFresh, MemoryEpochs):
    """Everything the online path keeps, in this process.

    Args:
        clock: Seconds, monotonic; an argument so that expiry can be tested without waiting.
    """

    def __init__(self, clock: Clock) -> None:
        self._data = Expiring(clock)
        self._writing = threading.Lock()
        self._history: list[str] = []
        self._begun: set[str] = set()
        self._current: str | None = None
        self._streams: dict[str, list[tuple[int, bytes]]] = {}
        MemoryFresh.__init__(self, clock, self._streams)
        MemoryEpochs.__init__(self, clock, self._data, self._streams)

    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        self.beat(generation, heartbeat_seconds)
        self._begun.add(generation)

    def write_hashes(self, generation: str, hashes: Hashes, ttl_seconds: int) -> int:
        with self._writing:
            names = redis_keys.generation_keys(generation)
            self._data.put(names, (self._data.get(names) or set()) | set(hashes.keys), ttl_seconds)
            return sum(self._write_hash(key, fields, ttl_seconds) for key, fields in hashes.items())

    def _write_hash(self, key: str, fields: Fields, ttl_seconds: int) -> int:
        before = self._data.get(key) or {}
        self._data.put(key, {**before, **fields}, ttl_seconds)
        return len(fields.keys() - before.keys())

    def beat(self, generation: str, heartbeat_seconds: int) -> None:
        self._data.put(redis_keys.generation_heartbeat(generation), True, heartbeat_seconds)

    def flip(self, generation: str, info: Mapping[str, str], ttl_seconds: int) -> None:
        if not self._data.drop(redis_keys.generation_heartbeat(generation)):
            self._begun.add(generation)
            raise PublishOvertakenError(
                f"generation {generation} stood still for too long while it was written; publish again"
            )
        encoded = {key.encode(): value.encode() for key, value in info.items()}
        self._data.put(redis_keys.generation_info(generation), encoded, ttl_seconds)
        self._history = [generation, *(name for name in self._history if name != generation)][:2]
        self._current = generation

    def rollback(self) -> str:
        if len(self._history) < 2 or self._data.get(redis_keys.generation_info(self._history[1])) is None:
            raise NoGenerationError("there is no earlier generation in memory to roll back to; publish one")
        self._history.pop(0)
        self._current = self._history[0]
        return self._current

    def sweep(self) -> list[str]:
        alive = {name for name in self._begun if self._data.get(redis_keys.generation_heartbeat(name))}
        dead = sorted(self._begun - alive - set(self._history))
        for generation in dead:
            for key in self._data.get(redis_keys.generation_keys(generation)) or ():
                self._data.drop(key)
            self._data.drop(redis_keys.generation_keys(generation))
            self._data.drop(redis_keys.generation_info(generation))
            self._begun.discard(generation)
        return dead

    def install_reader(self) -> str:
        return hashlib.sha1(reader_script().encode(), usedforsecurity=False).hexdigest()

    def memory_of(self, generation: str, samples: int) -> Memory:
        names = sorted(self._data.get(redis_keys.generation_keys(generation)) or ())
        hashes = [self._data.get(name) or {} for name in names[:samples]]
        used = sum(len(part) for fields in hashes for pair in fields.items() for part in pair)
        return Memory(len(names), round(used / max(1, len(hashes)) * len(names)))

    def current_generation(self) -> str | None:
        return self._current

    def kept_generations(self) -> list[str]:
        return list(self._history)

    def generation_info(self, generation: str) -> Mapping[str, str]:
        info = self._data.get(redis_keys.generation_info(generation)) or {}
        return {name.decode(): value.decode() for name, value in info.items()}

    def segment_lists(self, generation: str, surface: str) -> Mapping[str, bytes]:
        lists = self._data.get(redis_keys.segment_lists(generation, surface)) or {}
        return {name.decode(): packed for name, packed in lists.items()}

    def read(self, plan: ReadPlan) -> UserRow:
        return decode(plan, [self._answer(command) for command in commands(plan)])

    def newest_contents(self, generation: str) -> list[bytes]:
        parts: dict[bytes, bytes] = self._data.get(redis_keys.newest_contents(generation)) or {}
        return list(parts.values())

    def _answer(self, command: Command) -> Reply:
        name, key, *rest = command
        if name == "GET":
            return self._data.get(str(key))
        if name == "MGET":
            return [self._data.get(str(each)) for each in (key, *rest)]
        fields: dict[bytes, bytes] = self._data.get(str(key)) or {}
        return fields.get(str(rest[0]).encode())

    def add_marks(
        self, key: MarkKey, marks: Mapping[int, Mapping[int, float]], oldest: float, most: int, ttl_seconds: int
    ) -> None:
        for user, times in marks.items():
            if self._data.get(redis_keys.erased(user)) is not None:
                continue
            name = MARK_KEYS[key](user)
            merged = merge_marks(self._data.get(name), pack_marks(times), oldest, most)
            if merged:
                self._data.put(name, merged, ttl_seconds)
            else:
                self._data.drop(name)

    def put_tombstones(self, tombstones: Mapping[int, tuple[str, int]]) -> None:
        for user, (at, ttl_seconds) in tombstones.items():
            self._data.put(redis_keys.erased(user), at, ttl_seconds)

    def tombstone(self, user_id: int) -> str | None:
        at: str | None = self._data.get(redis_keys.erased(user_id))
        return at

    def drop_listed(self, user_ids: Sequence[int]) -> Listed:
        generations = self._begun | set(self._history)
        lists = sum(self._drop_field(key, user) for user in user_ids for key in list_keys(generations, user))
        profiles = sum(self._drop_field(key, user) for user in user_ids for key in profile_keys(generations, user))
        return Listed(lists, profiles)

    def drop_keys(self, keys: Sequence[str | bytes]) -> int:
        return sum(self._data.drop(key) for key in keys)

    def search_stream(self, stream: str, part: bytes, after: str) -> tuple[str | None, list[tuple[str, bytes]]]:
        entries = self.read_stream(stream, after, SEARCHED_AT_ONCE)
        return (entries[-1][0] if entries else None), [entry for entry in entries if part in entry[1]]

    def drop_entries(self, stream: str, entries: Sequence[str]) -> int:
        before = self._streams.get(stream, [])
        kept = [entry for entry in before if str(entry[0]) not in entries]
        self._streams[stream] = kept
        return len(before) - len(kept)

    def _drop_field(self, key: str, user: int) -> bool:
        return (self._data.get(key) or {}).pop(str(user).encode(), None) is not None

    def drop_mark(self, key: MarkKey, user_id: int, identity: int) -> bool:
        name = MARK_KEYS[key](user_id)
        known = read_marks(self._data.get(name))
        kept = known[known["id"] != identity]
        if len(kept) == len(known):
            return False
        self._data.replace(name, kept.tobytes() or None)
        return True

    def log_slate(self, request_id: str, entry: bytes, max_length: int, explain_seconds: int) -> None:
        self.append(STREAM_IMPRESSIONS, entry, max_length)
        self._data.put(redis_keys.served_slate(request_id), entry, explain_seconds)

    def served_slate(self, request_id: str) -> bytes | None:
        entry: bytes | None = self._data.get(redis_keys.served_slate(request_id))
        return entry

    def targets(self, generation: str, surface: str) -> list[int]:
        start = redis_keys.target_lists_prefix(generation, surface)
        names = self._data.get(redis_keys.generation_keys(generation)) or set()
        return [int(field) for name in sorted(names) if name.startswith(start) for field in self._data.get(name) or {}]

    def put_sampled(self, lists: Mapping[tuple[str, str], bytes], ttl_seconds: int) -> None:
        for context, body in lists.items():
            self._data.put(redis_keys.sampled(*context), body, ttl_seconds)

    def sampled(self, surface: str, context: str) -> bytes | None:
        body: bytes | None = self._data.get(redis_keys.sampled(surface, context))
        return body
