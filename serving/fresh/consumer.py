"""Content events become fresh items: embedded as they come, forgotten when a batch knows them."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Protocol

import numpy as np

from contracts import redis_keys
from contracts.content_events import content_event
from contracts.errors import EventError, ItemTowerError, ModelNotFoundError, PayloadError
from contracts.names import STREAM_CONTENT
from contracts.packed_vector import FloatArray
from contracts.settings import FreshSettings, Settings
from serving.fresh.batch import Batch
from serving.fresh.item import Description, FreshItem
from serving.stores.fresh import FreshChange, FreshStore
from serving.stores.leases import FeedEntry
from serving.stores.protocol import GenerationStore

_log = logging.getLogger(__name__)
_WRITTEN_AT_ONCE: Final = 500
"""Items of a script call: Redis does nothing else for about a millisecond."""
_SAME: Final = 1e-3
"""A component that moved by less is what rounding on the wire does."""

_START: Final = "0"

Items = dict[int, FreshItem]


class Tower(Protocol):
    """Makes vectors of contents (`serving.fresh.program`)."""

    @property
    def version(self) -> str: ...

    def embed(self, contents: Sequence[tuple[int, Description]], at: float) -> FloatArray:
        """Unit vectors [N, D] of contents at a moment, unix seconds."""


class Stores(FreshStore, GenerationStore, Protocol):
    """What the consumer needs of the store."""


@dataclass(frozen=True)
class FreshReport:
    """What one step did.

    Args:
        events: Read; `rejected` of them could not be.
        embedded: Contents whose vector was made, for news, another model or another age.
        dropped: Contents that left: a batch knows them, they are too old, or too many came.
        items: Contents that are kept now, those that must not be shown included.
        overtaken: Another consumer was faster; nothing was written.
    """

    events: int
    rejected: int
    embedded: int
    dropped: int
    items: int
    model_version: str
    overtaken: bool = False


class FreshConsumer:
    """One step at a time; killed anywhere, the next one goes on where this one wrote last.

    Several at once do no harm: each write holds only if nobody has written since the writer read.

    Args:
        towers: From a model version (the champion's where empty) to its item tower.
        clock: Unix seconds.
    """

    def __init__(
        self, store: Stores, towers: Callable[[str], Tower], settings: Settings, clock: Callable[[], float]
    ) -> None:
        self._store, self._towers, self._clock = store, towers, clock
        self._settings: FreshSettings = settings.fresh
        self._time_zone = settings.platform.time_zone
        self._items: Items | None = None
        self._unreadable: tuple[int, ...] = ()
        self._position = _START
        self._generation: str | None = None
        self._batch = Batch()
        self._tower: Tower | None = None
        self._try_at = self._embed_at = float("-inf")

    def step(self, block_ms: int) -> FreshReport:
        """Take in what is new, waiting up to `block_ms` for it.

        Raises:
            StoreUnavailableError: nothing was changed, or less than everything: the next step goes on.
        """
        known = self._known()
        self._follow_batch()
        entries = self._store.follow(STREAM_CONTENT, self._position, self._settings.batch_events, block_ms)
        now = self._clock()
        news, rejected = self._read(entries, known)
        stays = self._staying({**known, **news}, now)
        changed = {content: item for content, item in news.items() if content in stays}
        embedded = self._embedded(changed, stays, now)
        gone = [content for content in (*known, *self._unreadable) if content not in stays]
        position = entries[-1].identity if entries else self._went_on()
        written = self._write({**changed, **embedded}, gone, position)
        if written:
            self._items, self._position, self._unreadable = {**stays, **embedded}, position, ()
        else:
            self._items = None
        version = self._tower.version if self._tower is not None else ""
        return FreshReport(len(entries), rejected, len(embedded), len(gone), len(stays), version, not written)

    def _known(self) -> Items:
        """The items as stored; read again after another consumer has written."""
        if self._items is None:
            self._position = self._store.position(redis_keys.FRESH_POSITION)
            stored = self._store.fresh_items()
            self._items = dict(_sound(stored))
            self._unreadable = tuple(stored.keys() - self._items.keys())
            self._embed_at = float("-inf")
        return self._items

    def _went_on(self) -> str:
        """The position, or the start of a stream that was begun anew: what is read twice changes nothing."""
        is_lost = self._position != _START and not self._store.holds(STREAM_CONTENT, self._position)
        return _START if is_lost else self._position

    def _follow_batch(self) -> None:
        """Look at the pointer; another model, or none so far, is loaded, again and again where it cannot be."""
        generation = self._store.current_generation()
        if generation != self._generation:
            info = self._store.generation_info(generation) if generation is not None else {}
            self._batch, self._generation = Batch.of(info, self._time_zone), generation
            self._try_at = float("-inf")
        wanted = self._batch.model_version
        has_it = self._tower is not None and wanted in {"", self._tower.version}
        if has_it or self._clock() < self._try_at:
            return
        try:
            self._tower, self._embed_at = self._towers(wanted), float("-inf")
        except (ItemTowerError, ModelNotFoundError) as error:
            self._try_at = self._clock() + self._settings.retry_seconds
            _log.warning("contents are not embedded by the model that is served: %s", error)

    def _read(self, entries: Iterable[FeedEntry], known: Items) -> tuple[Items, int]:
        """The contents that events say something new of; an event that cannot be read is passed over."""
        news: Items = {}
        rejected = 0
        for entry in entries:
            try:
                item = FreshItem.of(content_event(entry.body))
            except EventError as error:
                rejected += 1
                _log.warning("entry %s of %s is passed over: %s", entry.identity, STREAM_CONTENT, error)
                continue
            if item.overrules(news.get(item.content_id) or known.get(item.content_id)):
                news[item.content_id] = item
        return news, rejected

    def _staying(self, items: Items, now: float) -> Items:
        """What no batch knows and is not too old; of too many the newest."""
        oldest = max(self._batch.contents_until, now - self._settings.horizon_hours * 3600)
        staying = {content: item for content, item in items.items() if item.changed_at >= oldest}
        if len(staying) <= self._settings.max_items:
            return staying
        newest = sorted(staying, key=lambda content: staying[content].changed_at, reverse=True)
        return {content: staying[content] for content in newest[: self._settings.max_items]}

    def _embedded(self, changed: Items, items: Items, now: float) -> Items:
        """Those with a new vector: what has changed; every so often, and for a new model, whatever moved."""
        if self._tower is None:
            return {}
        if now < self._embed_at:
            return self._with_vectors(self._tower, changed, now)
        self._embed_at = now + self._settings.reembed_minutes * 60
        made = self._with_vectors(self._tower, items, now)
        return {content: item for content, item in made.items() if content in changed or _moved(items[content], item)}

    @staticmethod
    def _with_vectors(tower: Tower, items: Items, now: float) -> Items:
        shown = [(item, item.description) for item in items.values() if item.description is not None]
        vectors = tower.embed([(item.content_id, description) for item, description in shown], now)
        return {
            item.content_id: replace(item, model_version=tower.version, vector=vector)
            for (item, _), vector in zip(shown, vectors, strict=True)
        }

    def _write(self, put: Items, gone: list[int], position: str) -> bool:
        """Write some at a time; the position moves with the last, so that a kill in between repeats and loses none."""
        if not put and not gone and position == self._position:
            return True
        contents, dropped = iter(put), iter(gone)
        while True:
            chunk = list(islice(contents, _WRITTEN_AT_ONCE))
            leaving = list(islice(dropped, _WRITTEN_AT_ONCE))
            is_last = len(chunk) < _WRITTEN_AT_ONCE and len(leaving) < _WRITTEN_AT_ONCE
            change = FreshChange(
                after=self._position,
                position=position if is_last else self._position,
                put={content: put[content].to_json() for content in chunk},
                dropped=leaving,
            )
            if not self._store.apply_fresh(change, self._settings.changes_length):
                return False
            if is_last:
                return True


def _moved(before: FreshItem, after: FreshItem) -> bool:
    """Whether the vector is another one: of another model, or elsewhere."""
    if before.vector is None or after.vector is None or before.model_version != after.model_version:
        return True
    return bool(np.abs(before.vector - after.vector).max(initial=0.0) > _SAME)


def _sound(items: Mapping[int, bytes]) -> Iterable[tuple[int, FreshItem]]:
    """The items that can be read: one that somebody wrote by hand must not stop all others."""
    for content, text in items.items():
        try:
            yield content, FreshItem.from_json(content, text)
        except PayloadError as error:
            _log.warning("%s; it is dropped", error)
