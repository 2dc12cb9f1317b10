"""Judged drafts into the partitions of the raw tables."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.schema import Table
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, QUARANTINE, STREAMER, USER, USER_ACTION
from jobs.importers import reading
from jobs.importers.files import Fault
from jobs.importers.raw_log import Draft, RawLog
from jobs.importers.report import ImportReport
from jobs.tables import Tables, spark_schema
from jobs.transformations import admission

_BESIDE: Final = (USER_ACTION, USER, CONTENT, STREAMER, BROADCAST)
_GROWING: Final = (USER, CONTENT, STREAMER)


@dataclass(frozen=True)
class Landing:
    """One import's drafts, the watch rows first, on their way into the partitions of `days`.

    Args:
        writers: Tables that are written at the same time: small Spark jobs leave cores idle while they are planned.
    """

    tables: Tables
    log: RawLog
    drafts: Sequence[Draft]
    days: Sequence[date]
    writers: int

    @property
    def faults(self) -> list[Fault]:
        """Damaged files of these days, and of no day in particular."""
        return [fault for fault in self.log.faults if fault.dt is None or date.fromisoformat(fault.dt) in self.days]

    def count(self) -> ImportReport:
        """Rows by table and reason; computes the drafts."""
        named = [x.rows.select(f.lit(x.table.name).alias(c.SOURCE_TABLE), c.REASON) for x in self.drafts]
        report = ImportReport(list(self.days))
        for table, reason, count in reading.union(named).groupBy(c.SOURCE_TABLE, c.REASON).count().collect():
            if reason is None:
                report.kept[table] += count
            else:
                report.quarantined[table, reason] += count
        for fault in self.faults:
            report.quarantined[fault.table.name, str(fault.reason)] += 1
        return report

    def write_quarantine(self, report: ImportReport) -> None:
        """Replace the days' quarantine; what has no day stands under the first."""
        first = self.days[0].isoformat()
        broken = [draft for draft in self.drafts if report.reasons(draft.table)]
        parts = [admission.quarantined(draft.rows, draft.table, self.days[0]) for draft in broken]
        faults = [(x.table.name, x.file, str(x.reason), x.raw, x.dt or first) for x in self.faults]
        if faults:
            parts.append(self.tables.spark.createDataFrame(faults, spark_schema(QUARANTINE).add(c.DT, "string")))
        rows = reading.union(parts).withColumn(c.DT, f.greatest(c.DT, f.lit(first))) if parts else None
        self.tables.write_days(QUARANTINE, self.days, rows)

    def write_tables(self) -> None:
        """All tables, the watch log last: whoever sees its partition finds the others."""
        watches, *others = self.drafts
        derived = self.log.derive(admitted(watches), self.days)
        with ThreadPoolExecutor(self.writers) as pool:
            running = [pool.submit(self._write, draft) for draft in others]
            running += [pool.submit(self._write_derived, table, rows) for table, rows in derived.items()]
            absent = set(_BESIDE) - {draft.table for draft in others} - set(derived)
            running += [pool.submit(self._write_nothing, table) for table in absent]
            for future in running:
                future.result()
        self._write(watches)

    def _write(self, draft: Draft) -> None:
        rows = admitted(draft)
        if draft.is_standing:
            rows = rows.withColumn(c.DT, f.explode(_each(self.days)))
        days: Sequence[date] = self.days
        if draft.only_days is not None:
            days = sorted(draft.only_days if draft.table == EARLIER_VIEW else draft.only_days & set(self.days))
        if days:
            self._tables().write_days(draft.table, days, rows.select(*draft.table.column_names, c.DT))

    def _write_nothing(self, table: Table) -> None:
        self._tables().write_days(table, self.days, None)

    def _write_derived(self, table: Table, rows: DataFrame) -> None:
        """A catalogue that watch rows make keeps what it knew before these days."""
        tables = self._tables()
        earlier = tables.warehouse.latest(table, self.days[0] - timedelta(days=1)) if table in _GROWING else None
        if earlier is not None:
            known = tables.read(table, [date.fromisoformat(earlier.dt)]).select(*table.column_names)
            new = rows.join(known.select(*table.key), on=list(table.key), how="left_anti")
            rows = known.withColumn(c.DT, f.explode(_each(self.days))).unionByName(new)
        tables.write_days(table, self.days, rows)

    def _tables(self) -> Tables:
        """Each table with its own list of inputs."""
        return replace(self.tables, inputs={})


def admitted(draft: Draft) -> DataFrame:
    """The rows that may enter."""
    return draft.rows.where(f.col(c.REASON).isNull())


def _each(days: Sequence[date]) -> Column:
    return f.array(*(f.lit(day.isoformat()) for day in days))
