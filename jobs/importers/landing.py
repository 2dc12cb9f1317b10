"""Judged drafts into the partitions of the raw tables."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.schema import Table
from contracts.snapshots import Snapshot
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, QUARANTINE, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.importers import reading
from jobs.importers.files import Fault
from jobs.importers.raw_log import Draft, RawLog
from jobs.importers.report import ImportReport
from jobs.tables import StagedDays, Tables, spark_schema
from jobs.transformations import admission

_BESIDE: Final = (USER_ACTION, USER, CONTENT, STREAMER, BROADCAST)
_GROWING: Final = (USER, CONTENT, STREAMER)

Follow = Callable[[Table, list[Snapshot]], None]


@contextmanager
def metastore(tables: Tables) -> Iterator[Follow]:
    """Tells Hive of committed partitions in their order, beside the import: its first word takes seconds.

    All of them are told when the context ends, also by an error.
    """
    with ThreadPoolExecutor(1) as pool:
        told = [pool.submit(tables.create, table) for table in (QUARANTINE, *_BESIDE, WATCH_EVENT)]
        yield lambda table, snapshots: told.append(pool.submit(tables.sync, table, snapshots))
        for future in told:
            future.result()


@dataclass(frozen=True)
class Landing:
    """One import's drafts, the watch rows first, on their way into the partitions of `days`.

    A draft is judged and written in one pass, staged: nobody sees a row before all of them are known to be good enough.

    Args:
        writers: Tables that are written at the same time: small Spark jobs leave cores idle while they are planned.
        follow: Hears of every commit.
    """

    tables: Tables
    log: RawLog
    drafts: Sequence[Draft]
    days: Sequence[date]
    writers: int
    follow: Follow
    staged: dict[Table, StagedDays] = field(default_factory=dict)

    @property
    def faults(self) -> list[Fault]:
        """Damaged files of these days, and of no day in particular."""
        return [fault for fault in self.log.faults if fault.dt is None or date.fromisoformat(fault.dt) in self.days]

    def stage(self) -> ImportReport:
        """Write what may enter, and the quarantine, for `commit_quarantine` and `commit_tables`; rows by reason."""
        report = ImportReport(list(self.days))
        with ThreadPoolExecutor(self.writers) as pool:
            broken = list(pool.map(partial(self._stage_draft, report), self.drafts))
        self._stage_quarantine([draft for draft, is_broken in zip(self.drafts, broken, strict=True) if is_broken])
        for fault in self.faults:
            report.quarantined[fault.table.name, str(fault.reason)] += 1
        return report

    def commit_quarantine(self) -> None:
        """Replace the days' quarantine."""
        self._commit(QUARANTINE)

    def commit_tables(self) -> None:
        """All tables, the watch log last: whoever sees its partition finds the others."""
        watches = self.drafts[0]
        derived = self.log.derive(admitted(watches), self.days)
        with ThreadPoolExecutor(self.writers) as pool:
            list(pool.map(self._stage_derived, *zip(*derived.items(), strict=True)) if derived else ())
        for table in set(_BESIDE) - {draft.table for draft in self.drafts} - set(derived):
            self.staged[table] = self.tables.stage_days(table, self.days, None)
        for table in sorted(self.staged, key=lambda table: table == watches.table):
            self._commit(table)

    def discard(self) -> None:
        """Remove what was not committed."""
        for staged in self.staged.values():
            staged.discard()

    def _commit(self, table: Table) -> None:
        self.follow(table, self.tables.commit_days(self.staged.pop(table)))

    def _stage_draft(self, report: ImportReport, draft: Draft) -> bool:
        """Write the rows that may enter, and count all; whether there are others."""
        table, rows = draft.table, draft.rows
        days: Sequence[date] = self.days
        if draft.only_days is not None:
            days = sorted(draft.only_days if table == EARLIER_VIEW else draft.only_days & set(self.days))
        if not days:
            return False
        if draft.is_standing:
            rows = rows.withColumn(c.DT, f.explode(_each(self.days)))
        judged = rows.select(*table.column_names, c.DT, c.REASON)
        staged = self.staged[table] = self._tables().stage_days(table, days, judged, judged=True)
        reasons = staged.reasons(days[0] if draft.is_standing else None)  # standing rows are in every day's folder
        report.kept[table.name] += sum(staged.rows(day) for day in (days[:1] if draft.is_standing else days))
        report.quarantined.update({(table.name, reason): count for reason, count in reasons.items()})
        return bool(reasons)

    def _stage_quarantine(self, broken: Sequence[Draft]) -> None:
        """The bad rows, read once more: most logs have none. What has no day stands under the first."""
        first = self.days[0].isoformat()
        parts = [admission.quarantined(draft.rows, draft.table, self.days[0]) for draft in broken]
        faults = [(x.table.name, x.file, str(x.reason), x.raw, x.dt or first) for x in self.faults]
        if faults:
            parts.append(self.tables.spark.createDataFrame(faults, spark_schema(QUARANTINE).add(c.DT, "string")))
        rows = reading.union(parts).withColumn(c.DT, f.greatest(c.DT, f.lit(first))) if parts else None
        self.staged[QUARANTINE] = self.tables.stage_days(QUARANTINE, self.days, rows)

    def _stage_derived(self, table: Table, rows: DataFrame) -> None:
        """A catalogue that watch rows make keeps what it knew before these days."""
        tables = self._tables()
        earlier = tables.warehouse.latest(table, self.days[0] - timedelta(days=1)) if table in _GROWING else None
        if earlier is not None:
            known = tables.read(table, [date.fromisoformat(earlier.dt)]).select(*table.column_names)
            new = rows.join(known.select(*table.key), on=list(table.key), how="left_anti")
            rows = known.withColumn(c.DT, f.explode(_each(self.days))).unionByName(new)
        self.staged[table] = tables.stage_days(table, self.days, rows)

    def _tables(self) -> Tables:
        """Each table with its own list of inputs."""
        return self.tables.afresh()


def admitted(draft: Draft) -> DataFrame:
    """The rows that may enter."""
    return draft.rows.where(f.col(c.REASON).isNull())


def _each(days: Sequence[date]) -> Column:
    return f.array(*(f.lit(day.isoformat()) for day in days))
