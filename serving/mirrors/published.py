"""The generations that can be served, with the lists that are not any user's own."""

from collections.abc import Mapping
from datetime import datetime

from contracts.errors import PayloadError
from contracts.names import Surface
from contracts.payload import CandidateColumns
from contracts.settings import Settings
from contracts.unpacking import unpack
from serving.fresh.batch import Batch
from serving.state import Context, Generation, Published
from serving.stores.protocol import GenerationStore


class PublishedMirror:
    """Follows the pointer; a generation's own lists never change, so they are read once."""

    name = "published"

    def __init__(self, store: GenerationStore, settings: Settings) -> None:
        self._store, self._time_zone = store, settings.platform.time_zone
        self.pause_seconds = settings.mirrors.poll_ms / 1000
        self.current = Published(None, {}, "Redis has not been read yet")

    def refresh(self) -> None:
        """Look at the pointer; where it or its generation is gone, what was known stays and says so."""
        name = self._store.current_generation()
        known = self.current
        if name is None:
            reason = "nothing has been published" if known.current is None else "Redis has lost the published lists"
            self.current = Published(known.current, known.generations, reason)
        elif name == known.current and self._store.generation_info(name):
            self.current = Published(name, known.generations)
        else:
            self._follow(name)

    def failed(self, problem: str) -> None:
        self.current = Published(self.current.current, self.current.generations, problem)

    def _follow(self, name: str) -> None:
        found = self._read(name)
        known = self.current.generations
        if found is None:
            self.current = Published(self.current.current, known, f"generation {name} has expired")
            return
        # A worker that has just come up knows the one before, too: somebody is in the middle of its pages.
        before = (known.get(other) or self._read(other) for other in self._others(name))
        kept = [found, *(generation for generation in before if generation is not None)]
        self.current = Published(name, {generation.name: generation for generation in kept})

    def _read(self, name: str) -> Generation | None:
        return read_generation(self._store, name, self._time_zone)

    def _others(self, name: str) -> list[str]:
        return [other for other in self._store.kept_generations() if other != name]


def read_generation(store: GenerationStore, name: str, time_zone: str) -> Generation | None:
    """A generation with its segment lists; None where it has expired."""
    info = store.generation_info(name)
    if not info:
        return None
    lists: dict[Context, CandidateColumns | str] = {}
    for surface in Surface:
        for segment, packed in store.segment_lists(name, surface).items():
            lists[surface, segment] = _unpacked(packed)
    return Generation(name, info.get("model_version", ""), _time(info), lists, Batch.of(info, time_zone))


def _unpacked(packed: bytes) -> CandidateColumns | str:
    try:
        return unpack(packed)
    except PayloadError as error:
        return str(error)


def _time(info: Mapping[str, str]) -> datetime | None:
    try:
        return datetime.fromisoformat(info["published_at"])
    except (KeyError, ValueError):
        return None
