"""`preferred_streamers`: whom each user prefers, out of the state of the day before and the views that have come since.

A partition of the state and one of the lists are written for each day. What the state lacks (days that were not run, at
first the whole log) is read from the views of the log, so that a gap mends itself.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Final

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import period_start
from contracts.schema import Table
from contracts.settings import PreferenceSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import PREFERENCE_STATE, PREFERRED_STREAMER, VIEW_VALUE
from jobs.commands.readings import partitions, write, write_rows
from jobs.needs import Before, Window
from jobs.tables import Tables
from jobs.transformations import preference_state as state
from jobs.transformations.preferred_streamers import newest_lists, preferred_streamers

_FEW: Final = 2_000_000
"""Rows that may go to every worker, some 100 MB. So few of a state need no choosing before they are joined, either."""
_logger: Final = logging.getLogger(__name__)


def needs(settings: Settings) -> tuple[Window, Before]:
    """What a day reads: views that can still change or are new, and the state before; its own lists follow from that.

    After a gap the views of the days without a state are read, too.
    """
    window_days = settings.platform.late_days + 1
    return (
        Window(VIEW_VALUE, required=True, window_days=window_days),
        Before(PREFERENCE_STATE, period_days=settings.preferences.full_every_days),
    )


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the preferred streamers of each day, and the state they come from.

    Raises:
        MissingPartitionError: the views of one of the days have not been valued.
    """
    views, _ = needs(settings)
    partitions(tables, views, days)
    parts = _parts(tables, days, settings.preferences)
    return [snapshot for part in parts for snapshot in _Part(tables.afresh(), part, settings).write()]


def _parts(tables: Tables, days: Sequence[date], preferences: PreferenceSettings) -> Iterator[Sequence[date]]:
    """Days that one Spark job computes: of one period, and by itself the day to which every pair is carried over."""
    for start, found in groupby(days, key=lambda day: period_start(day, preferences.full_every_days)):
        of_period = list(found)
        known = _whole_days(tables, of_period[0])
        alone = 1 if known and known[-1] < start else 0
        yield from (part for part in (of_period[:alone], of_period[alone:]) if part)


def _whole_days(tables: Tables, before: date) -> list[date]:
    """Days with a state, oldest first; one of a part of its day is none: its views are added again."""
    existing = (day for day in tables.warehouse.dates(PREFERENCE_STATE) if day < before)
    return [day for day in existing if tables.warehouse.require(PREFERENCE_STATE, day).until is None]


@dataclass(frozen=True)
class _Part:
    """Consecutive days of one period."""

    tables: Tables
    days: Sequence[date]
    settings: Settings

    def write(self) -> list[Snapshot]:
        """Two partitions a day from one shuffle of the new views by user."""
        with ExitStack() as stack:
            changed = self._changed(stack)
            written = write_rows(self.tables, PREFERENCE_STATE, self.days, changed.drop(state.ADDED), cumulative=True)
            lists = preferred_streamers(changed, self._old_lists(changed), self._new)
            return [*written, *write(self.tables, PREFERRED_STREAMER, self.days, lists, self.settings)]

    def _changed(self, stack: ExitStack) -> DataFrame:
        """Rows of the state, kept: they are written, and lists are made of them."""
        added = state.changes(self._views(), self._new)
        if not self._known:
            return _kept(stack, state.totals(added, None, self._new))
        since = period_start(self._known[-1], self.settings.preferences.full_every_days)
        if since < self._new.start:
            before = state.carried_over(self._before(PREFERENCE_STATE, since), since, self._new)
            return _kept(stack, state.totals(state.with_carried(added, before), None, self._new))
        if self._rows(PREFERENCE_STATE) > _FEW:
            added = _kept(stack, added)
        before = self._chosen(PREFERENCE_STATE, added, [c.USER_ID, c.STREAMER_ID])
        return _kept(stack, state.totals(added, state.newest(before.repartition(c.USER_ID)), self._new))

    def _old_lists(self, changed: DataFrame) -> DataFrame | None:
        """The lists before the first day of those who came since; None where the days begin with everybody."""
        if not self._known or self._known[-1] < self._new.start:
            return None
        return newest_lists(self._chosen(PREFERRED_STREAMER, changed, [c.USER_ID]))

    def _chosen(self, table: Table, by: DataFrame, keys: list[str]) -> DataFrame:
        """What was known of the period before the first day, of these keys; of all, where that is not much."""
        before = self._before(table, self._new.start)
        if self._rows(table) <= _FEW:
            return before
        wanted, new = by.select(*keys), self._rows(VIEW_VALUE)
        return before.join(f.broadcast(wanted) if new <= _FEW else wanted, on=keys, how="left_semi")

    def _rows(self, table: Table) -> int:
        """Rows of a table that the days are made of."""
        reach = (self._new.first, self.days[-1]) if table == VIEW_VALUE else (self._new.start, self._known[-1])
        found = [day for day in self.tables.warehouse.dates(table) if reach[0] <= day <= reach[1]]
        return sum(self.tables.warehouse.require(table, day).rows for day in found)

    def _before(self, table: Table, since: date) -> DataFrame:
        known = [day for day in self._known if day >= since]
        return self.tables.read_for(table, dict.fromkeys(self.days, known))

    def _views(self) -> DataFrame:
        reach = self._new.first - timedelta(days=self.settings.platform.late_days + 1)
        needed = {day: [found for found in self._log if reach <= found <= day] for day in self.days}
        views = self.tables.read_for(VIEW_VALUE, needed)
        count = self._displaced()
        if not count:
            return state.punctual_views(views, self._new)
        days = state.displaced_days(views, self._new)
        displaced = f.broadcast(days) if count <= _FEW else days
        return state.punctual_views(views, self._new, displaced).unionByName(state.displaced_views(views, displaced))

    def _displaced(self) -> int:
        """New views whose partition is not their day, counted without Spark: mostly there are none or few."""
        eve = self._new.first - timedelta(days=1)
        return sum(
            self._count(day, pc.field(c.VIEW_DAY) > day if day == eve else pc.field(c.VIEW_DAY) != day)
            for day in self._log
            if day >= eve
        )

    def _count(self, day: date, wanted: pc.Expression) -> int:
        files = sorted(self.tables.warehouse.require(VIEW_VALUE, day).path.glob("*.parquet"))
        return ds.dataset(files, format="parquet").count_rows(filter=wanted) if files else 0

    @cached_property
    def _log(self) -> list[date]:
        return [day for day in self.tables.warehouse.dates(VIEW_VALUE) if day <= self.days[-1]]

    @cached_property
    def _known(self) -> list[date]:
        return _whole_days(self.tables, self.days[0])

    @cached_property
    def _new(self) -> state.NewDays:
        first = self._known[-1] + timedelta(days=1) if self._known else self._log[0]
        if self._known and first < self.days[0]:
            _logger.warning("no state of %s to %s: their views are added to %s", first, self.days[0], self.days[0])
        return state.NewDays(first, self.days, self.settings.preferences)


def _kept(stack: ExitStack, frame: DataFrame) -> DataFrame:
    stack.callback(frame.unpersist)
    return frame.persist()
