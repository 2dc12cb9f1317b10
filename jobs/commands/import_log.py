"""`import_log`: a log in one of the known formats into the raw tables, with the bad rows in quarantine."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import days_between
from contracts.erasure import Erased
from contracts.errors import LogFormatError, SettingsError
from contracts.names import LogFormat
from contracts.settings import Settings, load_settings
from contracts.snapshots import Warehouse
from contracts.tables import EARLIER_VIEW, WATCH_EVENT
from jobs.importers.kuairand import read_kuairand
from jobs.importers.landing import Landing, admitted, metastore
from jobs.importers.livestream import read_livestream
from jobs.importers.mapped import read_mapped
from jobs.importers.raw_log import SCRATCH_PREFIX, Draft, ImportRequest, RawLog, Source, derive_nothing
from jobs.importers.report import ImportReport
from jobs.importers.watch_event import folder_days, read_watch_event
from jobs.session import open_session
from jobs.tables import Tables
from jobs.transformations import admission

_READERS: Final[dict[LogFormat, Callable[[Source], RawLog]]] = {
    LogFormat.WATCH_EVENT: read_watch_event,
    LogFormat.KUAIRAND: read_kuairand,
    LogFormat.LIVESTREAM: read_livestream,
    LogFormat.MAPPED: read_mapped,
}
_DAY: Final = "%Y-%m-%d"
_ONE_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 3_660
"""A span beyond ten years is a broken time in the log, not a history."""

Format = Annotated[LogFormat | None, typer.Option("--format", help="Format of the log.")]
Log = Annotated[Path | None, typer.Option(help="Folder of the log's files.")]
Mapping = Annotated[Path | None, typer.Option(help="Column mapping, for the mapped format.")]
Only = Annotated[datetime | None, typer.Option("--date", formats=[_DAY], help="Only this day.")]
First = Annotated[datetime | None, typer.Option("--from", formats=[_DAY], help="First day.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=[_DAY], help="Last day, included.")]


def import_log(tables: Tables, settings: Settings, request: ImportRequest) -> ImportReport:
    """Write the raw tables' partitions of the request's days.

    Raises:
        LogFormatError: the log is not in the format, or has nothing of these days.
        TooManyBadRowsError: more rows than allowed are bad; they are in quarantine, the log is as it was.
    """
    with metastore(tables) as follow, _opened(tables.spark, settings, request, tables.now) as log, ExitStack() as held:
        days = _days(log, request)
        gone = Erased.of(tables.warehouse)
        drafts = [_of_days(_without(gone, draft), days, settings) for draft in _in_scope(log, days)]
        if log.derive is not derive_nothing:  # every derived table reads the watch rows again
            held.callback(drafts[0].rows.persist().unpersist)
        landing = Landing(tables, log, drafts, days, settings.spark.concurrent_jobs, follow)
        held.callback(landing.discard)
        report = landing.stage()
        _refuse_foreign_days(log, report, request)
        landing.commit_quarantine()
        report.refuse_broken_log(settings.ingest.max_quarantine_share)
        landing.commit_tables()
        report.warnings += log.warnings(admitted(drafts[0]))
        return report


def log_days(spark: SparkSession, settings: Settings, request: ImportRequest, now: datetime) -> list[date]:
    """Every day from the log's first to its last.

    Raises:
        LogFormatError: the log is not in the format, or has no rows.
    """
    with _opened(spark, settings, request, now) as log:
        return _days(log, replace(request, first=None, last=None))


def named_days(request: ImportRequest) -> list[date]:
    """As `log_days`, but without Spark: empty where the log has no folders by day, so that its rows must be asked.

    Raises:
        LogFormatError: the log is not there, or its folders' days cannot be believed.
    """
    days = folder_days(request.log) if request.log_format is LogFormat.WATCH_EVENT else frozenset()
    return _whole(request, (min(days), max(days))) if days else []


def requested(
    settings: Settings, log_format: LogFormat | None, log: Path | None, mapping: Path | None
) -> ImportRequest | None:
    """What the options, or else the settings, say is to be read; None where they name no log."""
    chosen, path = log_format or settings.ingest.log_format, log or settings.ingest.log_path
    by = mapping or settings.ingest.mapping_path
    path = path or (by.parent if by else None)  # a mapping of Hive tables needs no folder
    return None if chosen is None or path is None else ImportRequest(chosen, path, by)


def command(
    log_format: Format = None,
    log: Log = None,
    mapping: Mapping = None,
    day: Only = None,
    first: First = None,
    last: Last = None,
) -> None:
    """Load a log into the raw tables: one day, a range, or without dates all that it has."""
    settings = load_settings()
    if (first is None) != (last is None) or (day is not None and first is not None):
        raise SettingsError("give --date, or --from and --to, or none of them")
    begin, end = day or first, day or last
    span = replace(_require(settings, log_format, log, mapping), first=begin and begin.date(), last=end and end.date())
    for line in import_log(_tables(settings), settings, span).lines():
        typer.echo(line)


def log_days_command(log_format: Format = None, log: Log = None, mapping: Mapping = None) -> None:
    """Print the days of a log as one JSON list."""
    settings = load_settings()
    request = _require(settings, log_format, log, mapping)
    days = named_days(request) or log_days(open_session(settings), settings, request, datetime.now(UTC))
    typer.echo(json.dumps([day.isoformat() for day in days]))


def _require(settings: Settings, log_format: LogFormat | None, log: Path | None, mapping: Path | None) -> ImportRequest:
    request = requested(settings, log_format, log, mapping)
    if request is None:
        raise SettingsError("say what to read: --format and --log, or the settings ingest.log_format and log_path")
    return request


def _tables(settings: Settings) -> Tables:
    return Tables(open_session(settings), Warehouse(settings.warehouse_path), datetime.now(UTC))


@contextmanager
def _opened(spark: SparkSession, settings: Settings, request: ImportRequest, now: datetime) -> Iterator[RawLog]:
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=settings.home.resolve()) as scratch:
        yield _READERS[request.log_format](Source(spark, request, settings, Path(scratch), now))


def _days(log: RawLog, request: ImportRequest) -> list[date]:
    if request.first is not None and request.last is not None:
        if request.last < request.first:
            raise SettingsError(f"--from {request.first} is after --to {request.last}; turn them round")
        return list(days_between(request.first, request.last))
    span = log.span()
    if span is None:
        raise LogFormatError(f"{request.log} has no row with a day; expected a {request.log_format} log")
    return _whole(request, span)


def _whole(request: ImportRequest, span: tuple[date, date]) -> list[date]:
    if (span[1] - span[0]).days > _MOST_DAYS:
        raise LogFormatError(f"{request.log} spans {span[0]} to {span[1]}: say which days are meant by --from and --to")
    return list(days_between(*span))


def _in_scope(log: RawLog, days: Sequence[date]) -> list[Draft]:
    """The watch log first; what came before the log only with the log's first day."""
    drafts = [log.watches, *log.others]
    span = log.span() if log.before is not None else None
    if log.before is not None and span is not None and span[0] in days:
        before = span[0] - _ONE_DAY
        rows = log.before.rows.withColumn(c.DT, f.lit(before.isoformat()))
        drafts.append(Draft(log.before.table, rows, only_days=frozenset({before})))
    return drafts


def _without(erased: Erased, draft: Draft) -> Draft:
    """A log may bring back who was erased; without anybody erased it costs nothing."""
    if not len(erased):
        return draft
    users = draft.rows.sparkSession.createDataFrame([(user,) for user in erased.ids.tolist()], f"{c.USER_ID} bigint")
    return replace(draft, rows=admission.mark_erased(draft.rows, draft.table, users))


def _of_days(draft: Draft, days: Sequence[date], settings: Settings) -> Draft:
    """The rows of the days; one that an earlier day delivered already is a duplicate."""
    if draft.table == EARLIER_VIEW:
        return draft
    first, last = min(days), max(days)
    back = settings.platform.late_days if c.EVENT_TIME in draft.table.key else 0
    near = _between(draft.rows, first - back * _ONE_DAY, last)
    return replace(draft, rows=_between(admission.mark_duplicates(near, draft.table), first, last))


def _between(rows: DataFrame, first: date, last: date) -> DataFrame:
    day = f.col(c.DT)
    return rows.where(day.isNull() | day.between(first.isoformat(), last.isoformat()))


def _refuse_foreign_days(log: RawLog, report: ImportReport, request: ImportRequest) -> None:
    """An empty day is a fact; a day that the log does not reach is a mistake."""
    if report.read(WATCH_EVENT) or log.folder_days.intersection(report.days):
        return
    span = log.span()
    if span is None or not any(span[0] <= day <= span[1] for day in report.days):
        has = f"it spans {span[0]} to {span[1]}" if span else "it has no rows"
        raise LogFormatError(f"{request.log} has nothing of {report.days[0]} to {report.days[-1]}: {has}")
