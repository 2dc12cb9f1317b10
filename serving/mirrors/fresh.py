"""The fresh contents in a worker's memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from contracts import redis_keys
from contracts.errors import PayloadError
from contracts.settings import Settings
from serving.fresh.index import FreshIndex
from serving.fresh.item import FreshItem
from serving.mirrors.mirror import Clock, Tail
from serving.stores.fresh import FreshStore, changed_ids


class FreshMirror:
    """Holds the current `FreshIndex`; with the store away the last one stays and says so."""

    name = "fresh"

    def __init__(self, store: FreshStore, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._tail = Tail(store, redis_keys.FRESH_CHANGES, settings.mirrors, clock, self._load, self._apply)
        self._items: dict[int, FreshItem] = {}
        self._unreadable: set[int] = set()
        self._index = FreshIndex.of([])
        self.pause_seconds = settings.fresh.pause_ms / 1000

    @property
    def index(self) -> FreshIndex:
        return self._index

    def refresh(self) -> None:
        self._tail.advance()
        if self._index.problem != self._problem():
            self._index = replace(self._index, problem=self._problem())

    def failed(self, problem: str) -> None:
        self._index = replace(self._index, problem=f"new contents are as last known: {problem}")

    def _load(self, went_on: bool) -> None:  # noqa: ARG002  what the store has forgotten a batch will bring
        self._items, self._unreadable = {}, set()
        self._take(self._store.fresh_items())

    def _apply(self, bodies: Sequence[bytes]) -> None:
        changed = {content for body in bodies for content in changed_ids(body)}
        for content in changed:
            self._items.pop(content, None)
            self._unreadable.discard(content)
        self._take(self._store.fresh_items(sorted(changed)))

    def _take(self, items: Mapping[int, bytes]) -> None:
        for content, text in items.items():
            try:
                self._items[content] = FreshItem.from_json(content, text)
            except PayloadError:
                self._unreadable.add(content)
        self._index = FreshIndex.of(self._items.values(), self._problem())

    def _problem(self) -> str:
        return f"{len(self._unreadable)} new contents cannot be read" if self._unreadable else ""
