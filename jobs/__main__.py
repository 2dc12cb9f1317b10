"""Command line of the Spark jobs: `python -m jobs COMMAND`."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Final

import typer

from contracts.clock import hour_end
from contracts.command_line import run
from contracts.errors import SettingsError
from contracts.names import Source
from contracts.settings import Settings, load_settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import CANDIDATE_LIST
from jobs.commands import candidate_lists, cascade, check, forget, import_log, next_day_metrics, stale, sync_metastore
from jobs.commands.backfill import Backfill
from jobs.commands.registry import JOBS, Job, jobs_named
from jobs.session import open_session
from jobs.tables import Tables

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

_FORMATS: Final = ["%Y-%m-%d"]
Day = Annotated[datetime, typer.Option("--date", formats=_FORMATS, help="The platform's day.")]
First = Annotated[datetime, typer.Option("--from", formats=_FORMATS, help="First day.")]
Last = Annotated[datetime, typer.Option("--to", formats=_FORMATS, help="Last day, included.")]
Hour = Annotated[
    int | None,
    typer.Option(min=0, max=24, help="Only what began before the end of this hour; the whole day's run replaces it."),
]
Without = Annotated[list[Source] | None, typer.Option(help="A source the lists are made without; may be repeated.")]
Only = Annotated[str | None, typer.Option(help="Only these jobs, separated by commas.")]


@dataclass(frozen=True)
class Run:
    """What one invocation shares: settings, tables and the time."""

    settings: Settings
    now: datetime

    def tables(self, until: datetime | None = None) -> Tables:
        return Tables(open_session(self.settings), Warehouse(self.settings.warehouse_path), self.now, until)

    def until(self, day: date, hour: int | None) -> datetime | None:
        """The end of the hour; None of the whole day."""
        return None if hour is None else hour_end(day, hour, self.settings.platform.time_zone)


def _run() -> Run:
    return Run(load_settings(), datetime.now(UTC))


def _say(snapshot: Snapshot, started: float) -> None:
    seconds = time.perf_counter() - started
    typer.echo(f"{snapshot.table} dt={snapshot.dt}: {snapshot.rows} rows in {seconds:.1f} s ({snapshot.snapshot_id})")


def _daily(job: Job) -> Callable[[datetime], None]:
    def command(day: Day) -> None:
        _run_job(_run(), job, day.date())

    command.__doc__ = job.help
    return command


def _hourly(job: Job) -> Callable[[datetime, int | None], None]:
    def command(day: Day, hour: Hour = None) -> None:
        _run_job(_run(), job, day.date(), hour)

    command.__doc__ = job.help
    return command


def _run_job(run: Run, job: Job, day: date, hour: int | None = None) -> None:
    tables, started = run.tables(run.until(day, hour)), time.perf_counter()
    for snapshot in job.run(tables, [day], run.settings):
        _say(snapshot, started)


def _candidate_lists(day: Day, hour: Hour = None, without: Without = None) -> None:
    """Write candidate_list_v1 of one day: the fused lists that publish puts into Redis."""
    run = _run()
    settings = candidate_lists.without(run.settings, without or [])
    _run_job(Run(settings, run.now), jobs_named([candidate_lists.NAME])[0], day.date(), hour)


@app.command(name="refresh")
def _refresh(
    day: Day, hour: Annotated[int, typer.Option(min=0, max=24, help="The hour of the day that has ended.")]
) -> None:
    """Make the lists of a running day anew from what began before the end of an hour; the day's own run replaces them.

    The cheap systems only; where the day has no partition of another table, the newest one stands in.
    """
    run, started = _run(), time.perf_counter()
    jobs = [job for job in JOBS if job.hourly]
    until = run.until(day.date(), hour)
    backfill = Backfill(run.tables().spark, run.settings, run.now, typer.echo, until)
    done = backfill.run(jobs, day.date(), day.date())
    typer.echo(f"{len(done)} partitions until {until} in {time.perf_counter() - started:.1f} s")


@app.command(name="backfill")
def _backfill(
    first: First,
    last: Last,
    only: Only = None,
    log_format: import_log.Format = None,
    log: import_log.Log = None,
    mapping: import_log.Mapping = None,
) -> None:
    """Run the derived jobs for every day from --from to --to, in one process; with --log, import these days first."""
    run, started = _run(), time.perf_counter()
    jobs = jobs_named(only.split(",")) if only else [job for job in JOBS if job.in_backfill]
    if last < first:
        raise SettingsError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}; turn them round")
    request = import_log.requested(run.settings, log_format, log, mapping) if log else None
    if request is not None:
        span = replace(request, first=first.date(), last=last.date())
        typer.echo("\n".join(import_log.import_log(run.tables(), run.settings, span).lines()))
    done = Backfill(run.tables().spark, run.settings, run.now, typer.echo).run(jobs, first.date(), last.date())
    typer.echo(f"{len(done)} partitions in {time.perf_counter() - started:.1f} s")


@app.command(name="next_day_metrics")
def _next_day_metrics(
    day: Day,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    if_published: Annotated[bool, typer.Option(help="Do nothing when the day has no lists: the first day.")] = False,
) -> None:
    """Judge the lists of --date by the watches of the day after."""
    run = _run()
    if if_published and Warehouse(run.settings.warehouse_path).current(CANDIDATE_LIST, day.date()) is None:
        typer.echo(f"{CANDIDATE_LIST.name} has no partition dt={day:%Y-%m-%d}: nothing to judge")
        return
    result = next_day_metrics.next_day_metrics(run.tables(), run.settings, day.date())
    typer.echo(json.dumps(result, indent=None if as_json else 2))


app.command(name="import_log")(import_log.command)
app.command(name="log_days")(import_log.log_days_command)
app.command(name="check")(check.command)
app.command(name="stale")(stale.command)
app.command(name="cascade")(cascade.command)
app.command(name="forget")(forget.command)
app.command(name="sync_metastore")(sync_metastore.command)
app.command(name=candidate_lists.NAME)(_candidate_lists)
for _job in JOBS:
    if _job.name != candidate_lists.NAME:
        app.command(name=_job.name)(_hourly(_job) if _job.hourly else _daily(_job))


def main() -> None:
    """Run the command line; a named error becomes one line and its exit code."""
    run(app)


if __name__ == "__main__":
    main()
