"""The newest representative content of every streamer, in a worker's memory."""

from dataclasses import replace

from contracts.settings import MirrorSettings
from serving.newest import NewestContents, read_newest
from serving.stores.protocol import GenerationStore


class NewestMirror:
    """Holds what the served generation says; read again only when another generation is served."""

    name = "newest"

    def __init__(self, store: GenerationStore, settings: MirrorSettings) -> None:
        self._store = store
        self._generation: str | None = None
        self._table = read_newest([])
        self.pause_seconds = settings.poll_ms / 1000

    @property
    def table(self) -> NewestContents:
        return self._table

    def refresh(self) -> None:
        generation = self._store.current_generation()
        if generation is not None and generation != self._generation:
            self._table = read_newest(self._store.newest_contents(generation))
            self._generation = generation
        elif self._table.problem:
            self._table = replace(self._table, problem="")

    def failed(self, problem: str) -> None:
        self._table = replace(self._table, problem=f"newest contents are as last known: {problem}")
