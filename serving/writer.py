"""Writes the hashes of a generation in pipelines of a bounded size, some batches at once."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, TypeVar

from contracts.errors import ScatteredListsError
from contracts.settings import ServingSettings
from serving.stores.hashes import Hashes
from serving.stores.protocol import GenerationStore

_SENDERS: Final = 3
"""Batches are packed while the server works on others."""
_WAITING: Final = 5
"""Batches in hand at once."""
_CHUNK_BYTES: Final = 4_000_000
"""Per pipeline, in whole buckets, where lists are long: no call comes near its time limit."""
_BEATS: Final = 10
"""Within the silence that stands for death; after every chunk, they would be a third of a publish's round trips."""
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Written:
    """How many fields, and the bytes of their values."""

    count: int = 0
    size: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.count + other.count, self.size + other.size)


@dataclass
class GenerationWriter:
    """Writes beside the served generation; a context, so that no thread writes on after an error.

    Args:
        clock: Seconds, monotonic.
    """

    store: GenerationStore
    settings: ServingSettings
    generation: str
    clock: Callable[[], float] = time.monotonic
    _senders: ThreadPoolExecutor = field(init=False)
    _next_beat: float = field(init=False)

    @property
    def ttl_seconds(self) -> int:
        return ttl_of(self.settings)

    def __enter__(self) -> "GenerationWriter":
        self._next_beat = self.clock() + self.settings.publish_heartbeat_seconds / _BEATS
        self.store.begin(self.generation, self.settings.publish_heartbeat_seconds)
        self._senders = ThreadPoolExecutor(_SENDERS, "publish")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._senders.shutdown(wait=True, cancel_futures=True)

    def write(self, batches: Iterable[Batch], to_hashes: Callable[[Batch], Hashes]) -> Written:
        """Write the hashes of all batches; on return, all of them have been answered.

        Args:
            to_hashes: Runs in the senders, some batches at once.

        Raises:
            StoreUnavailableError
            ScatteredListsError: a field was there already.
        """
        written, sent = Written(), deque[Future[Written]]()
        for batch in batches:
            sent.append(self._senders.submit(self._write_batch, batch, to_hashes))
            if len(sent) > _WAITING:
                written += sent.popleft().result()
        return sum((one.result() for one in sent), written)

    def _write_batch(self, batch: Batch, to_hashes: Callable[[Batch], Hashes]) -> Written:
        chunks = to_hashes(batch).cut(self.settings.publish_chunk_lists, _CHUNK_BYTES)
        return sum(map(self._write, chunks), Written())

    def _write(self, hashes: Hashes) -> Written:
        added = self.store.write_hashes(self.generation, hashes, self.ttl_seconds)
        count = hashes.count
        if added != count:
            raise ScatteredListsError(
                f"{count - added} lists of generation {self.generation} were there already: the rows of a list are in "
                "several places of its table; write it sorted by user and surface, or raise serving.publish_batch_rows"
            )
        self._beat()
        return Written(count, hashes.size_bytes)

    def _beat(self) -> None:
        now = self.clock()
        if now >= self._next_beat:
            self._next_beat = now + self.settings.publish_heartbeat_seconds / _BEATS
            self.store.beat(self.generation, self.settings.publish_heartbeat_seconds)


def ttl_of(settings: ServingSettings) -> int:
    """Seconds that a generation is kept."""
    return max(1, round(settings.list_ttl_hours * 3600))
