"""The contents that were taken down since the catalogue was read, in a worker's memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts import redis_keys
from contracts.payload import Ids
from contracts.settings import MirrorSettings
from serving.mirrors.mirror import Clock, Tail
from serving.mirrors.watch import Watch
from serving.stores.leases import TakedownStore, VisibilityChange, visibility_changes


@dataclass(frozen=True)
class RemovedTable:
    """Contents that must not be shown.

    Args:
        content_ids: (R,) ascending.
        problem: Why the table may be old; empty while it is kept fresh.
    """

    content_ids: Ids
    problem: str = ""

    def removed(self, content_ids: Ids) -> npt.NDArray[np.bool_]:
        """(K,) true for what was taken down or made private."""
        if len(self.content_ids) == 0:
            return np.zeros(len(content_ids), bool)
        places = np.minimum(np.searchsorted(self.content_ids, content_ids), len(self.content_ids) - 1)
        return self.content_ids[places] == content_ids


class RemovedMirror:
    """Holds the current `RemovedTable`.

    What it once knew it keeps for as long as the store would, also when the store comes back without its memory.
    """

    name = "removed"

    def __init__(self, store: TakedownStore, settings: MirrorSettings, clock: Clock, keep_seconds: float) -> None:
        self._store, self._clock, self._keep_seconds = store, clock, keep_seconds
        self._watch = Watch(store, redis_keys.CONTENT_POSITION, "consume_content", settings, clock)
        self._tail = Tail(store, redis_keys.CONTENT_CHANGES, settings, clock, self._load, self._apply)
        self._known: dict[int, tuple[VisibilityChange, float]] = {}
        self._table = RemovedTable(np.empty(0, np.int64))
        self.pause_seconds = settings.pause_ms / 1000

    @property
    def table(self) -> RemovedTable:
        return self._table

    def refresh(self) -> None:
        self._watch.refresh()
        self._tail.advance()
        if self._table.problem != self._watch.problem:
            self._table = RemovedTable(self._table.content_ids, self._watch.problem)

    def failed(self, problem: str) -> None:
        self._table = RemovedTable(self._table.content_ids, f"takedowns are as last known: {problem}")

    def _load(self, went_on: bool) -> None:  # noqa: ARG002  the later word holds, whatever was forgotten
        oldest = self._clock() - self._keep_seconds
        self._known = {content: known for content, known in self._known.items() if known[1] > oldest}
        self._take(self._store.all_visibility())

    def _apply(self, bodies: Sequence[bytes]) -> None:
        self._take(change for body in bodies for change in visibility_changes(body))

    def _take(self, changes: Iterable[VisibilityChange]) -> None:
        for change in changes:
            known = self._known.get(change.content_id)
            if known is None or change.overrules(known[0]):
                self._known[change.content_id] = (change, self._clock())
        gone = [content for content, (change, _) in self._known.items() if change.is_removed]
        self._table = RemovedTable(np.sort(np.array(gone, np.int64)), self._watch.problem)
