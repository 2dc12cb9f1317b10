"""The live leases in a worker's memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from contracts import redis_keys
from contracts.payload import Ids
from contracts.settings import MirrorSettings
from serving.mirrors.live_table import LiveTable, Rows
from serving.mirrors.mirror import Clock, Tail
from serving.mirrors.watch import Watch
from serving.stores.leases import LeaseStore, LiveChanges, live_changes, merged


class LiveRows(NamedTuple):
    """A look-up: the table, and (K,) its rows or -1."""

    table: LiveTable
    rows: Rows


class LiveMirror:
    """Holds the current `LiveTable`.

    With the store away the last table stays, its leases end by their own time, and `table.problem` says so. A store
    that comes back without its memory takes nobody off the air: leases it does not know end by their time, too.

    Args:
        clock: Monotonic seconds. Together with the store's time, read now and then, it gives the store's time at any
            moment, whatever the wall clock of this machine does.
    """

    name = "live"

    def __init__(self, store: LeaseStore, settings: MirrorSettings, clock: Clock) -> None:
        self._store = store
        self._watch = Watch(store, redis_keys.LIVE_POSITION, "consume_live", settings, clock)
        self._tail = Tail(store, redis_keys.LIVE_CHANGES, settings, clock, self._load, self._apply)
        self._table = LiveTable.of({})
        self.pause_seconds = settings.pause_ms / 1000

    @property
    def table(self) -> LiveTable:
        return self._table

    def now(self) -> float:
        """Unix seconds of the store's clock."""
        return self._watch.now()

    def lookup(self, streamer_ids: Ids) -> LiveRows:
        """Who of these is live now."""
        table = self._table
        return LiveRows(table, table.lookup(streamer_ids, self.now()))

    def refresh(self) -> None:
        self._watch.refresh()
        self._tail.advance()
        if self._table.problem != self._watch.problem:
            self._table = replace(self._table, problem=self._watch.problem)

    def failed(self, problem: str) -> None:
        self._table = replace(self._table, problem=f"live broadcasts are as last known: {problem}")

    def _load(self, went_on: bool) -> None:
        known, now = self._table, self.now()
        leases = self._store.all_leases()
        if len(known) > 0:
            leases = known.described(leases)
        table = LiveTable.of({streamer: lease for streamer, lease in leases.items() if lease.expires_at > now})
        if not went_on:
            table = table.joined(known.without(table.streamer_ids, now))
        self._table = table

    def _apply(self, bodies: Sequence[bytes]) -> None:
        changes: LiveChanges = merged(map(live_changes, bodies))
        self._table = self._table.changed(changes, self.now())
