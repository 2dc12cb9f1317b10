"""`import_log`: a log in one of the known formats into the raw tables, with the bad rows in quarantine."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import days_between
from contracts.errors import LogFormatError, SettingsError, TooManyBadRowsError
from contracts.names import LogFormat, QuarantineReason
from contracts.schema import Table
from contracts.settings import Settings, load_settings
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, QUARANTINE, STREAMER, USER, USER_ACTION, WATCH_EVENT
from jobs.importers import reading
from jobs.importers.files import Fault
from jobs.importers.kuairand import read_kuairand
from jobs.importers.raw_log import Draft, ImportRequest, RawLog, Source
from jobs.importers.watch_event import read_watch_event
from jobs.session import open_session
from jobs.tables import Tables, spark_schema
from jobs.transformations import admission

_READERS: Final[dict[LogFormat, Callable[[Source], RawLog]]] = {
    LogFormat.WATCH_EVENT: read_watch_event,
    LogFormat.KUAIRAND: read_kuairand,
}
_DAILY: Final = (USER_ACTION, USER, CONTENT, STREAMER, BROADCAST)
_DAY: Final = "%Y-%m-%d"
_ONE_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 3_660
"""A span beyond ten years is a broken time in the log, not a history."""


@dataclass
class ImportReport:
    """What a run did: rows by table, and by reason where they did not enter."""

    days: list[date]
    kept: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def bad(self, table: Table) -> int:
        """Quarantined rows, without duplicates: a log delivered twice is whole."""
        return sum(
            count
            for (name, reason), count in self.quarantined.items()
            if name == table.name and reason != QuarantineReason.DUPLICATE
        )

    def read(self, table: Table) -> int:
        return self.kept[table.name] + sum(n for (name, _), n in self.quarantined.items() if name == table.name)

    def lines(self) -> list[str]:
        """What the run prints."""
        names = [table.name for table in (WATCH_EVENT, *_DAILY, EARLIER_VIEW) if self.read(table)]
        counted = [f"{name}: {self.kept[name]} rows kept" for name in names]
        left_out = [
            f"{name}: {count} rows in quarantine: {reason}"
            for (name, reason), count in sorted(self.quarantined.items())
        ]
        warned = [f"warning: {warning}" for warning in self.warnings]
        return [f"days {self.days[0]} to {self.days[-1]}", *counted, *left_out, *warned]

    def reasons(self, table: Table) -> dict[str, int]:
        return {reason: count for (name, reason), count in sorted(self.quarantined.items()) if name == table.name}


def import_log(tables: Tables, settings: Settings, request: ImportRequest) -> ImportReport:
    """Write the raw tables' partitions of the request's days.

    Raises:
        LogFormatError: the log is not in the format, or has nothing of these days.
        TooManyBadRowsError: more rows than allowed are bad; they are in quarantine, the log is as it was.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=settings.home.resolve()) as scratch, ExitStack() as held:
        log = _READERS[request.log_format](Source(tables.spark, request, settings, Path(scratch), tables.now))
        days = _days(log, request)
        drafts = [_judge(draft, days, settings) for draft in _in_scope(log, days)]
        for draft in drafts:  # each is read three times: counted, quarantined, written
            held.callback(draft.rows.persist().unpersist)
        report = _count(drafts, log, days)
        _refuse_foreign_days(log, report, request)
        _write_quarantine(tables, log, drafts, days)
        _refuse_broken_log(report, settings)
        _write_tables(tables, log, drafts, days)
        report.warnings += log.warnings(_admitted(drafts[0]))
        return report


def _days(log: RawLog, request: ImportRequest) -> list[date]:
    if request.first is not None and request.last is not None:
        return list(days_between(request.first, request.last))
    span = _span(log)
    if span is None:
        raise LogFormatError(f"{request.log} has no row with a day; expected a {request.log_format} log")
    if (span[1] - span[0]).days > _MOST_DAYS:
        raise LogFormatError(f"{request.log} spans {span[0]} to {span[1]}: say which days are meant by --from and --to")
    return list(days_between(*span))


def _span(log: RawLog) -> tuple[date, date] | None:
    """First and last day of the log, from its folders where they tell."""
    if log.folder_days:
        return min(log.folder_days), max(log.folder_days)
    readable = log.watches.rows.where(f.col(c.REASON).isNull())
    first, last = readable.agg(f.min(c.DT), f.max(c.DT)).collect()[0]
    return (date.fromisoformat(first), date.fromisoformat(last)) if first else None


def _in_scope(log: RawLog, days: Sequence[date]) -> list[Draft]:
    """The watch log first; what came before the log only with the log's first day."""
    drafts = [log.watches, *log.others]
    span = _span(log) if log.before is not None else None
    if log.before is not None and span is not None and span[0] in days:
        before = log.before.rows.withColumn(c.DT, f.lit((span[0] - _ONE_DAY).isoformat()))
        drafts.append(Draft(log.before.table, before, only_days=frozenset({span[0] - _ONE_DAY})))
    return drafts


def _judge(draft: Draft, days: Sequence[date], settings: Settings) -> Draft:
    """The rows of the days, with their reasons; a row that an earlier day delivered already is a duplicate."""
    first, last = min(days), max(days)
    if draft.table == EARLIER_VIEW:
        first = last = min(draft.only_days or days)
    back = settings.platform.late_days if c.EVENT_TIME in draft.table.key else 0
    judged = admission.judge(_between(draft.rows, first - back * _ONE_DAY, last), draft.table, settings)
    if not draft.is_standing:
        judged = admission.require_day(judged)
    return replace(draft, rows=_between(admission.mark_duplicates(judged, draft.table), first, last))


def _between(rows: DataFrame, first: date, last: date) -> DataFrame:
    day = f.col(c.DT)
    return rows.where(day.isNull() | day.between(first.isoformat(), last.isoformat()))


def _count(drafts: Sequence[Draft], log: RawLog, days: Sequence[date]) -> ImportReport:
    report = ImportReport(list(days))
    for draft in drafts:
        for reason, count in draft.rows.groupBy(c.REASON).count().collect():
            if reason is None:
                report.kept[draft.table.name] += count
            else:
                report.quarantined[draft.table.name, reason] += count
    for fault in _faults(log, days):
        report.quarantined[fault.table.name, fault.reason] += 1
    return report


def _faults(log: RawLog, days: Sequence[date]) -> list[Fault]:
    return [fault for fault in log.faults if fault.dt is None or date.fromisoformat(fault.dt) in days]


def _refuse_foreign_days(log: RawLog, report: ImportReport, request: ImportRequest) -> None:
    """An empty day is a fact; a day that the log does not reach is a mistake."""
    if report.read(WATCH_EVENT) or log.folder_days.intersection(report.days):
        return
    span = _span(log)
    if span is None or not any(span[0] <= day <= span[1] for day in report.days):
        has = f"it spans {span[0]} to {span[1]}" if span else "it has no rows"
        raise LogFormatError(f"{request.log} has nothing of {report.days[0]} to {report.days[-1]}: {has}")


def _write_quarantine(tables: Tables, log: RawLog, drafts: Sequence[Draft], days: Sequence[date]) -> None:
    parts = [admission.quarantined(draft.rows, draft.table, days[0]) for draft in drafts]
    faults = [(x.table.name, x.file, str(x.reason), x.raw, x.dt or days[0].isoformat()) for x in _faults(log, days)]
    schema = spark_schema(QUARANTINE).add(c.DT, "string")
    rows = reading.union([*parts, tables.spark.createDataFrame(faults, schema)])
    last = rows.withColumn(c.DT, f.greatest(f.col(c.DT), f.lit(days[0].isoformat())))  # earlier views stand before
    tables.write_days(QUARANTINE, days, last)


def _refuse_broken_log(report: ImportReport, settings: Settings) -> None:
    limit = settings.ingest.max_quarantine_share
    for table in (WATCH_EVENT, *_DAILY, EARLIER_VIEW):
        bad, total = report.bad(table), report.read(table)
        if bad > limit * total:
            reasons = {f"{table.name} {reason}": count for reason, count in report.reasons(table).items()}
            raise TooManyBadRowsError(bad, total, limit, reasons)


def _write_tables(tables: Tables, log: RawLog, drafts: Sequence[Draft], days: Sequence[date]) -> None:
    """All tables, the watch log last: whoever sees its partition finds the others."""
    watches, *others = drafts
    derived = log.derive(_admitted(watches), days)
    for draft in others:
        _write_draft(tables, draft, days)
    for table, rows in derived.items():
        tables.write_days(table, days, rows)
    for table in {*_DAILY} - {draft.table for draft in others} - set(derived):
        tables.write_days(table, days, None)
    _write_draft(tables, watches, days)


def _write_draft(tables: Tables, draft: Draft, days: Sequence[date]) -> None:
    rows = _admitted(draft)
    if draft.is_standing:
        every_day = f.array(*(f.lit(day.isoformat()) for day in days))
        rows = rows.withColumn(c.DT, f.explode(every_day))
    before = draft.table == EARLIER_VIEW
    written = days if draft.only_days is None else sorted(draft.only_days if before else draft.only_days & set(days))
    if written:
        tables.write_days(draft.table, written, rows.select(*draft.table.column_names, c.DT))


def _admitted(draft: Draft) -> DataFrame:
    return draft.rows.where(f.col(c.REASON).isNull())


def command(
    log_format: Annotated[LogFormat | None, typer.Option("--format", help="Format of the log.")] = None,
    log: Annotated[Path | None, typer.Option(help="Folder of the log's files.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Column mapping, for the mapped format.")] = None,
    day: Annotated[datetime | None, typer.Option("--date", formats=[_DAY], help="Only this day.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=[_DAY], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=[_DAY], help="Last day, included.")] = None,
) -> None:
    """Load a log into the raw tables: one day, a range, or without dates all that it has."""
    settings = load_settings()
    chosen, path = log_format or settings.ingest.log_format, log or settings.ingest.log_path
    if chosen is None or path is None:
        raise SettingsError("import_log needs --format and --log, or ingest.log_format and ingest.log_path")
    if (first is None) != (last is None):
        raise SettingsError("--from and --to go together")
    begin, end = day or first, day or last
    request = ImportRequest(
        chosen, path, mapping or settings.ingest.mapping_path, begin and begin.date(), end and end.date()
    )
    tables = Tables(open_session(settings), Warehouse(settings.warehouse_path), datetime.now(UTC))
    for line in import_log(tables, settings, request).lines():
        typer.echo(line)
