"""The fresh contents in a worker's memory."""

from collections.abc import Mapping, Sequence, Set
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
        self._texts: dict[int, bytes] = {}
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
        stored = self._store.fresh_items()
        news = {content: text for content, text in stored.items() if self._texts.get(content) != text}
        self._take(news, self._texts.keys() - stored.keys())

    def _apply(self, bodies: Sequence[bytes]) -> None:
        changed = {content for body in bodies for content in changed_ids(body)}
        stored = self._store.fresh_items(sorted(changed))
        self._take(stored, changed - stored.keys())

    def _take(self, news: Mapping[int, bytes], gone: Set[int]) -> None:
        if not news and not gone:
            return
        items = []
        self._unreadable -= news.keys() | gone
        for content, text in news.items():
            try:
                items.append(FreshItem.from_json(content, text))
            except PayloadError:
                self._unreadable.add(content)
        self._texts = {content: text for content, text in self._texts.items() if content not in gone} | dict(news)
        self._index = replace(self._index.changed(items, {*gone, *news}), problem=self._problem())

    def _problem(self) -> str:
        return f"{len(self._unreadable)} new contents cannot be read" if self._unreadable else ""
