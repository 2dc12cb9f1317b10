"""All mirrors of a process, and the state that a request takes from them."""

import time

from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.mirrors.catalogue import CatalogueMirror
from serving.mirrors.fresh import FreshMirror
from serving.mirrors.live import LiveMirror
from serving.mirrors.newest import NewestMirror
from serving.mirrors.posteriors import PosteriorMirror
from serving.mirrors.published import PublishedMirror
from serving.mirrors.removed import RemovedMirror
from serving.mirrors.thread import Mirrors, MirrorState
from serving.state import State
from serving.stores.protocol import Store

_STOP_SECONDS = 2.0


class Mirrored:
    """What a process holds of Redis and of the catalogue.

    Args:
        warehouse: Where the catalogue is read.
        store: Its time limit must be longer than a read of a feed may wait (`mirrors.timeout_ms`).
    """

    def __init__(self, settings: Settings, warehouse: Warehouse, store: Store) -> None:
        mirrors, clock = settings.mirrors, time.monotonic
        self._published = PublishedMirror(store, settings)
        self._posteriors = PosteriorMirror(store, mirrors)
        self._live = LiveMirror(store, mirrors, clock)
        self._removed = RemovedMirror(store, mirrors, clock, settings.live.removed_hours * 3_600)
        self._fresh = FreshMirror(store, settings, clock)
        self._newest = NewestMirror(store, mirrors)
        self._catalogue = CatalogueMirror(warehouse, mirrors)
        every = (
            self._published,
            self._posteriors,
            self._live,
            self._removed,
            self._fresh,
            self._newest,
            self._catalogue,
        )
        self._mirrors = Mirrors(every, mirrors, clock)
        self._every = every

    def start(self) -> None:
        """Keep them fresh in threads of their own."""
        self._mirrors.start()

    def wait_until_loaded(self, seconds: float) -> bool:
        return self._mirrors.wait_until_loaded(seconds)

    def stop(self) -> None:
        self._mirrors.stop(_STOP_SECONDS)

    def states(self) -> list[MirrorState]:
        return self._mirrors.states()

    def load(self) -> State:
        """Read everything once, for a process that answers one request.

        Raises:
            StoreUnavailableError
        """
        for mirror in self._every:
            mirror.refresh()
        return self.state()

    def state(self) -> State:
        """What is known now."""
        return State(
            self._published.current,
            self._posteriors.current,
            self._live.table,
            self._live.now(),
            self._removed.table.content_ids,
            self._fresh.index,
            self._newest.table,
            self._catalogue.current,
            self._problems(),
        )

    def _problems(self) -> tuple[str, ...]:
        tables = (
            self._published.current,
            self._live.table,
            self._removed.table,
            self._fresh.index,
            self._newest.table,
        )
        problems = [self._posteriors.problem, *[table.problem for table in tables]]
        return tuple(filter(None, problems))
