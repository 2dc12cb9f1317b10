"""What an importer hands to the import command: tables' rows, each with the reason that keeps it out, if any."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import LogFormatError
from contracts.names import LogFormat
from contracts.schema import Table
from contracts.settings import Settings
from jobs.importers.files import Fault
from jobs.transformations import admission

SCRATCH_PREFIX: Final = "import-"
"""Of the folders below `home` that imports keep repaired copies of log files in."""


@dataclass(frozen=True)
class ImportRequest:
    """What to import: a log in a format, and which days; no days means all that the log has."""

    log_format: LogFormat
    log: Path
    mapping: Path | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Draft:
    """Rows of one table, judged: a null reason lets a row in.

    Args:
        is_standing: The rows have no day of their own: they hold on every imported day.
        only_days: A slowly changing table of which the log has these days only; others keep the partition before.
    """

    table: Table
    rows: DataFrame
    is_standing: bool = False
    only_days: frozenset[date] | None = None


@dataclass(frozen=True)
class Source:
    """Where an importer reads from and what it may need for it.

    Args:
        scratch: Folder for repaired copies, removed after the import.
        now: Later events are in the future, where the log itself does not say when it was ingested.
    """

    spark: SparkSession
    request: ImportRequest
    settings: Settings
    scratch: Path
    now: datetime

    @property
    def latest(self) -> datetime:
        """Nothing that happened can be later."""
        return self.now + timedelta(minutes=self.settings.ingest.max_future_minutes)

    def judge(self, rows: DataFrame, table: Table, is_standing: bool = False) -> Draft:
        """A draft with its reasons; rows that nothing else gives a day get the one of their event."""
        if c.EVENT_TIME in table.column_names:
            rows = admission.place(rows, self.settings.platform.time_zone, f.lit(self.latest))
        judged = admission.judge(rows, table, self.settings)
        return Draft(table, judged if is_standing else admission.require_day(judged), is_standing)


Derived = Mapping[Table, DataFrame]
Derive = Callable[[DataFrame, Sequence[date]], Derived]


def derive_nothing(admitted: DataFrame, days: Sequence[date]) -> Derived:  # noqa: ARG001  one of many `Derive`
    """For logs that bring all their tables."""
    return {}


@dataclass(frozen=True)
class RawLog:
    """A log as drafts of tables.

    Args:
        watches: The watch rows; every other table's draft is in `others`.
        derive: Rows (with `dt`) of further tables from the admitted watch rows of these days.
        folder_days: Ingest days that the log's folders name, empty ones included.
        before: Rows of `earlier_view_v1`, which belong to the day before the log begins.
        span: First and last day with a row, or None; asked for only when somebody needs to know.
        warnings: What the admitted watch rows give to worry about.
    """

    watches: Draft
    others: list[Draft] = field(default_factory=list)
    derive: Derive = derive_nothing
    faults: list[Fault] = field(default_factory=list)
    folder_days: frozenset[date] = frozenset()
    before: Draft | None = None
    span: Callable[[], tuple[date, date] | None] = lambda: None
    warnings: Callable[[DataFrame], list[str]] = lambda _: []


def span_of(rows: DataFrame, folder_days: Collection[date] = ()) -> Callable[[], tuple[date, date] | None]:
    """Asks once for the first and last `dt` of rows; folders, where there are any, know without reading."""

    @cache
    def span() -> tuple[date, date] | None:
        if folder_days:
            return min(folder_days), max(folder_days)
        first, last = rows.agg(f.min(c.DT), f.max(c.DT)).collect()[0]
        return (date.fromisoformat(first), date.fromisoformat(last)) if first else None

    return span


def require_folder(path: Path) -> Path:
    """The log's folder.

    Raises:
        LogFormatError: it is not there.
    """
    if not path.is_dir():
        raise LogFormatError(f"{path} is no folder; --log names the folder that holds the log's files")
    return path
