"""The memory twin of epochs and event logs."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from contracts import redis_keys
from serving.stores.event_log import LogEntry
from serving.stores.protocol import StoredEpoch

MEMORY_SEQUENCES: Final = 2**20
"""Entries a millisecond that the twin can number: its ids are milliseconds times this, plus a number."""


class Keys(Protocol):
    """Values by key, some with an end."""

    def get(self, key: str) -> Any: ...  # noqa: ANN401  what a key holds depends on the key, as in Redis

    def put(self, key: str, value: Any, ttl_seconds: float = float("inf")) -> None: ...  # noqa: ANN401


class MemoryEpochs:
    """The bandit's part of the memory store.

    Args:
        clock: Seconds; an event log's time.
        data: The store's keys.
        streams: The store's streams.
    """

    def __init__(self, clock: Callable[[], float], data: Keys, streams: dict[str, list[tuple[int, bytes]]]) -> None:
        self._now, self._keys, self._logs = clock, data, streams
        self._last_ids: dict[str, int] = {}

    def posteriors(self, surface: str, segment: str) -> bytes | None:
        value: bytes | None = self._keys.get(redis_keys.posteriors(surface, segment))
        return value

    def all_posteriors(self, contexts: Sequence[tuple[str, str]]) -> list[bytes | None]:
        return [self.posteriors(*context) for context in contexts]

    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None:
        value: bytes | None = self._keys.get(redis_keys.posterior_epoch(surface, segment, epoch))
        return value

    def put_epoch(
        self,
        context: tuple[str, str],
        packed: bytes,
        follows: StoredEpoch | None,
        ttl_seconds: int,
        keep_seconds: int | None = None,
    ) -> bool:
        if self._keys.get(redis_keys.posteriors(*context)) != (follows.packed if follows is not None else None):
            return False
        if follows is not None:
            self._keys.put(redis_keys.posterior_epoch(*context, follows.epoch), follows.packed, ttl_seconds)
        self._keys.put(redis_keys.posteriors(*context), packed, keep_seconds or float("inf"))
        return True

    def learner(self) -> bytes | None:
        value: bytes | None = self._keys.get(redis_keys.LEARNER)
        return value

    def put_learner(self, state: bytes, follows: bytes | None) -> bool:
        if self.learner() != follows:
            return False
        self._keys.put(redis_keys.LEARNER, state)
        return True

    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        entries = self._logs.setdefault(stream, [])
        identity = max(self._now_ms() * MEMORY_SEQUENCES, self._last_id(stream) + 1)
        self._last_ids[stream] = identity
        entries.append((identity, entry))
        del entries[:-max_length]

    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        return [(identity, body) for identity, _, body in self.read_from(stream, str(int(after) + 1), count)]

    def read_from(self, stream: str, first: str, count: int) -> list[LogEntry]:
        entries = self._logs.get(stream, [])
        start = bisect_left(entries, int(first), key=lambda entry: entry[0])
        page = entries[start : start + count]
        return [LogEntry(str(identity), identity // MEMORY_SEQUENCES, body) for identity, body in page]

    def seal(self, stream: str) -> int:
        self._last_ids[stream] = max(self._now_ms() * MEMORY_SEQUENCES, self._last_id(stream))
        return self._last_ids[stream] // MEMORY_SEQUENCES

    def trim(self, stream: str, before_ms: int) -> None:
        entries = self._logs.get(stream, [])
        self._last_ids[stream] = self._last_id(stream)
        del entries[: bisect_left(entries, before_ms * MEMORY_SEQUENCES, key=lambda entry: entry[0])]

    def _now_ms(self) -> int:
        return int(self._now() * 1_000)

    def _last_id(self, stream: str) -> int:
        entries = self._logs.get(stream)
        return max(self._last_ids.get(stream, 0), entries[-1][0] if entries else 0)
