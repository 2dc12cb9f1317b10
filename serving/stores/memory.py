"""The memory twin of the Redis store: for tests, and for a laptop without a server."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from contracts import redis_keys
from contracts.errors import NoGenerationError, PublishOvertakenError
from serving.stores.protocol import Fields, Listed, UserRow
from serving.stores.redis_erasure import SEARCHED_AT_ONCE, list_keys, profile_keys
from serving.stores.redis_generations import to_user_row

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

    def drop(self, key: str | bytes) -> bool:
        had = self.get(key) is not None
        self.values.pop(key, None)
        return had


class MemoryStore:
    """Everything the online path keeps, in this process.

    Args:
        clock: Seconds, monotonic; an argument so that expiry can be tested without waiting.
    """

    def __init__(self, clock: Clock) -> None:
        self._data = Expiring(clock)
        self._history: list[str] = []
        self._begun: set[str] = set()
        self._current: str | None = None
        self._streams: dict[str, list[tuple[int, bytes]]] = {}
        self._appended: dict[str, int] = {}

    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        self.beat(generation, heartbeat_seconds)
        self._begun.add(generation)

    def write_hashes(self, generation: str, hashes: Mapping[str, Fields], ttl_seconds: int) -> None:
        names = redis_keys.generation_keys(generation)
        self._data.put(names, (self._data.get(names) or set()) | set(hashes), ttl_seconds)
        for key, fields in hashes.items():
            self._data.put(key, {**(self._data.get(key) or {}), **fields}, ttl_seconds)

    def beat(self, generation: str, heartbeat_seconds: int) -> None:
        self._data.put(redis_keys.generation_heartbeat(generation), True, heartbeat_seconds)

    def flip(self, generation: str, info: Mapping[str, str], ttl_seconds: int) -> None:
        if not self._data.drop(redis_keys.generation_heartbeat(generation)):
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

    def current_generation(self) -> str | None:
        return self._current

    def user_row(self, generation: str, surface: str, user_id: int | None) -> UserRow:
        info = self._data.get(redis_keys.generation_info(generation)) or {}
        if user_id is None:
            return to_user_row(info)
        bucket = redis_keys.bucket_of(user_id)
        name = str(user_id).encode()
        lists = self._data.get(redis_keys.lists(generation, surface, bucket)) or {}
        segments = self._data.get(redis_keys.segments(generation, bucket)) or {}
        seen = [str(content).encode() for content in self._data.get(redis_keys.seen(user_id)) or ()]
        hidden = {member.encode() for member in self._data.get(redis_keys.hidden(user_id)) or ()}
        return to_user_row(info, lists.get(name), segments.get(name), seen, hidden)

    def segment_list(self, generation: str, surface: str, segment: str) -> bytes | None:
        lists: dict[bytes, bytes] = self._data.get(redis_keys.segment_lists(generation, surface)) or {}
        return lists.get(segment.encode())

    def target_list(self, generation: str, surface: str, target_id: int) -> bytes | None:
        key = redis_keys.target_lists(generation, surface, redis_keys.bucket_of(target_id))
        lists: dict[bytes, bytes] = self._data.get(key) or {}
        return lists.get(str(target_id).encode())

    def add_seen(self, seen: Mapping[int, Mapping[int, float]], oldest: float, ttl_seconds: int) -> None:
        for user, contents in seen.items():
            known: dict[int, float] = dict(self._data.get(redis_keys.seen(user)) or {})
            for content, at in contents.items():
                known[content] = max(at, known.get(content, at))
            kept = {content: at for content, at in known.items() if at >= oldest}
            self._data.put(redis_keys.seen(user), kept, ttl_seconds)

    def add_hidden(self, hidden: Mapping[int, Sequence[str]], ttl_seconds: int) -> None:
        for user, members in hidden.items():
            key = redis_keys.hidden(user)
            self._data.put(key, (self._data.get(key) or set()) | set(members), ttl_seconds)

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

    def put_leases(self, leases: Mapping[int, bytes], ttl_seconds: float) -> None:
        for streamer, lease in leases.items():
            self._data.put(redis_keys.live_lease(streamer), lease, ttl_seconds)

    def drop_lease(self, streamer_id: int) -> bool:
        return self._data.drop(redis_keys.live_lease(streamer_id))

    def leases(self, streamer_ids: Sequence[int]) -> list[bytes | None]:
        return [self._data.get(redis_keys.live_lease(int(streamer))) for streamer in streamer_ids]

    def posteriors(self, surface: str, segment: str) -> bytes | None:
        value: bytes | None = self._data.get(redis_keys.posteriors(surface, segment))
        return value

    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None:
        value: bytes | None = self._data.get(redis_keys.posterior_epoch(surface, segment, epoch))
        return value

    def put_epoch(self, context: tuple[str, str], epoch: int, value: bytes, ttl_seconds: int) -> bool:
        if self.posterior_epoch(*context, epoch) is not None:
            return False
        self._data.put(redis_keys.posterior_epoch(*context, epoch), value, ttl_seconds)
        self._data.put(redis_keys.posteriors(*context), value)
        return True

    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        entries = self._streams.setdefault(stream, [])
        self._appended[stream] = self._appended.get(stream, 0) + 1
        entries.append((self._appended[stream], entry))
        del entries[:-max_length]

    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        entries = self._streams.get(stream, [])
        start = bisect_right(entries, int(after), key=lambda entry: entry[0])
        return [(str(identity), entry) for identity, entry in entries[start : start + count]]
