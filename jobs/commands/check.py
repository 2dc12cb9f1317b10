"""`check`: is what stands of a day fit to be published from?

Every partition of the day is checked that is not stale nor of an hour: those are written anew before the day is used.
So the same command serves after the import, after the derived tables and after the lists.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, Final

import pyarrow as pa
import typer

from contracts import columns as c
from contracts.errors import ChecksFailedError, MissingPartitionError
from contracts.names import Check, Severity, Verdict
from contracts.schema import Table
from contracts.settings import Settings, load_settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import (
    ALL_TABLES,
    CHECK_RESULT,
    ERASED_USER,
    EXPLORATION_REPORT,
    FEEDBACK,
    IMPRESSION,
    POSTERIOR_EPOCH,
    QUARANTINE,
    WATCH_EVENT,
)
from jobs.checks.footers import footer_findings
from jobs.checks.history import History, drifts, row_count
from jobs.checks.results import Finding, Result
from jobs.checks.unknown_ids import unknown_ids
from jobs.commands.stale import Lineage

_NOT_CHECKED: Final = (
    CHECK_RESULT,
    QUARANTINE,
    IMPRESSION,
    POSTERIOR_EPOCH,
    FEEDBACK,
    ERASED_USER,
    EXPLORATION_REPORT,
)
"""How many rows these have goes with faults and traffic, and no list is made of them. Nothing waits for them either:
whether one is there when a day is checked is chance."""


def check(warehouse: Warehouse, settings: Settings, day: date) -> list[Result]:
    """The results of all checks of the day, by table.

    Raises:
        MissingPartitionError: there is nothing to check.
    """
    stale = {(found.partition.table, found.partition.dt) for found in Lineage(warehouse, settings).stale()}
    results = [
        Result(table.name, snapshot.snapshot_id, _severity(finding, settings), finding)
        for table in ALL_TABLES.values()
        if table not in _NOT_CHECKED and (table.name, day) not in stale
        if (snapshot := warehouse.current(table, day)) is not None and snapshot.until is None
        for finding in _findings(warehouse, table, snapshot, settings)
    ]
    if not results:
        raise MissingPartitionError(WATCH_EVENT.name, day.isoformat(), f"{WATCH_EVENT.owner} --date {day}")
    return results


def write(warehouse: Warehouse, day: date, results: Sequence[Result], now: datetime) -> Snapshot:
    """Write the results of a day. They are no one's input, and say themselves which snapshots were checked."""
    rows = [
        {
            c.TABLE_NAME: result.table,
            c.CHECK_NAME: result.finding.check.value,
            c.COLUMN_NAME: result.finding.column,
            c.SNAPSHOT_ID: result.snapshot_id,
            c.VALUE: result.finding.value,
            c.LOWER_BOUND: result.finding.lower,
            c.UPPER_BOUND: result.finding.upper,
            c.VERDICT: result.finding.verdict.value,
            c.SEVERITY: result.severity.value,
        }
        for result in results
    ]
    return warehouse.write(CHECK_RESULT, day, pa.Table.from_pylist(rows, CHECK_RESULT.schema), [], now)


def _severity(finding: Finding, settings: Settings) -> Severity:
    return Severity.WARN if finding.check in settings.checks.only_warn else Severity.FAIL


def _findings(warehouse: Warehouse, table: Table, snapshot: Snapshot, settings: Settings) -> Iterator[Finding]:
    history = History.of(warehouse, table, date.fromisoformat(snapshot.dt), settings.checks)
    yield row_count(snapshot, history)
    yield from footer_findings(table, snapshot)
    yield from drifts(table, snapshot, history, settings.platform.time_zone)
    if table == WATCH_EVENT:
        yield from unknown_ids(warehouse, snapshot, settings.checks)


def command(day: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The platform's day.")]) -> None:
    """Check what stands of one day: row counts, nulls, ranges, unknown ids and drift; a failed check ends with 2."""
    settings = load_settings()
    warehouse = Warehouse(settings.warehouse_path)
    results = check(warehouse, settings, day.date())
    write(warehouse, day.date(), results, datetime.now(UTC))
    typer.echo("\n".join(_lines(results)))
    stopping = [result.line() for result in results if result.stops]
    if stopping:
        raise ChecksFailedError(f"{day:%Y-%m-%d}", stopping)


def _lines(results: Sequence[Result]) -> Iterator[str]:
    """A line for every table, then one for every failed check."""
    for table, of_table in groupby(results, key=lambda result: result.table):
        found = list(of_table)
        (rows,) = (result.finding.value for result in found if result.finding.check is Check.ROW_COUNT)
        verdicts = Counter(result.finding.verdict for result in found)
        told = ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict if verdicts[verdict])
        yield f"{table:<24}{rows:>12.0f} rows: {told}"
    for result in results:
        if result.finding.verdict is Verdict.FAILED:
            yield f"{result.severity.value}: {result.line()}"
