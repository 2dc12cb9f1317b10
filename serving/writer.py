"""Writes the hashes of a generation in pipelines of a bounded size, some of them in flight."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from contracts.errors import ScatteredListsError
from contracts.settings import ServingSettings
from serving.list_rows import Hash
from serving.stores.protocol import GenerationStore

_SENDERS: Final = 2
"""One pipeline is sent while the server works on the other."""
_WAITING: Final = 8
"""Pipelines that may wait for a sender: 2 MB each."""


@dataclass(frozen=True)
class Written:
    """How many fields, and the bytes of their values."""

    count: int = 0
    size: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.count + other.count, self.size + other.size)


@dataclass
class _Chunk:
    """What goes into one pipeline."""

    hashes: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    count: int = 0

    def add(self, key: str, fields: dict[bytes, bytes]) -> None:
        self.hashes.setdefault(key, {}).update(fields)
        self.count += len(fields)


@dataclass
class GenerationWriter:
    """Writes beside the served generation; a context, so that no thread writes on after an error."""

    store: GenerationStore
    settings: ServingSettings
    generation: str
    _senders: ThreadPoolExecutor = field(init=False)
    _sent: deque[Future[None]] = field(default_factory=deque, init=False)

    @property
    def ttl_seconds(self) -> int:
        return max(1, round(self.settings.list_ttl_hours * 3600))

    def __enter__(self) -> "GenerationWriter":
        self.store.begin(self.generation, self.settings.publish_heartbeat_seconds)
        self._senders = ThreadPoolExecutor(_SENDERS, "publish")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._senders.shutdown(wait=True, cancel_futures=True)

    def write(self, hashes: Iterable[Hash]) -> Written:
        """Write whole hashes; on return, all of them have been answered.

        Raises:
            StoreUnavailableError
            ScatteredListsError: a field was there already.
        """
        written, chunk = Written(), _Chunk()
        for key, fields in hashes:
            chunk.add(key, fields)
            written += Written(len(fields), sum(map(len, fields.values())))
            if chunk.count >= self.settings.publish_chunk_lists:
                self._send(chunk)
                chunk = _Chunk()
        self._send(chunk)
        self._wait(0)
        return written

    def _send(self, chunk: "_Chunk") -> None:
        self._sent.append(self._senders.submit(self._write, chunk))
        self._wait(_WAITING)

    def _wait(self, most: int) -> None:
        while len(self._sent) > most:
            self._sent.popleft().result()

    def _write(self, chunk: "_Chunk") -> None:
        added = self.store.write_hashes(self.generation, chunk.hashes, self.ttl_seconds)
        if added != chunk.count:
            raise ScatteredListsError(
                f"{chunk.count - added} lists of generation {self.generation} were there already: the rows of a list are "
                "in several places of its table; write it sorted by user and surface, or raise serving.publish_batch_rows"
            )
        self.store.beat(self.generation, self.settings.publish_heartbeat_seconds)
