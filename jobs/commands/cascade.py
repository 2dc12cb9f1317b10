"""`cascade`: run again what depends on what was run again, and only that.

A stale partition is computed when all that it reads is as it should be, so a cascade that was killed goes on where it
stopped. What another room must do first, and what depends on that, is reported with the commands.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from contracts.errors import SettingsError
from contracts.settings import load_settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.commands.backfill import Backfill, side_by_side, together
from jobs.commands.registry import JOBS, Job
from jobs.commands.stale import Lineage, Partition, StalePartition, to_bring_on
from jobs.session import open_session

_DAY = timedelta(days=1)

First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Run again no day before it.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Run again no day after it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be run.")]


def plan(lineage: Lineage, first: date = date.min, last: date = date.max) -> list[StalePartition]:
    """The stale partitions that jobs can compute now, from `first` to `last`, each after those that it reads.

    What waits for another room, for a day out of the range or for what nobody has written is not among them.
    """
    found, ready = lineage.stale(), dict[Partition, StalePartition]()
    stale = {each.partition for each in found}
    for each in found:
        dt = each.partition.dt
        waits = any(read in stale and read not in ready for read, _ in each.inputs)
        if each.job and not waits and first <= dt <= last and not lineage.missing(each.job, dt):
            ready[each.partition] = each
    return list(ready.values())


def cascade(backfill: Backfill, planned: Sequence[StalePartition]) -> list[Snapshot]:
    """Compute the partitions, consecutive days of a job together; the first error ends it."""
    partitions, settings = {each.partition for each in planned}, backfill.settings
    ranges = together(sorted({partition.dt for partition in partitions}), settings.spark.days_per_job)
    work = [
        (job, consecutive)
        for days in ranges
        for job in JOBS
        for consecutive in _consecutive([day for day in days if not partitions.isdisjoint(_written(job, day))])
    ]
    return side_by_side(work, backfill.compute, settings)


def _written(job: Job, day: date) -> list[Partition]:
    return [Partition(table.name, day) for table in job.tables]


def _consecutive(days: Sequence[date]) -> Iterator[list[date]]:
    """Runs of days without a gap."""
    run: list[date] = []
    for day in days:
        if run and day - run[-1] != _DAY:
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def command(first: First = None, last: Last = None, dry_run: DryRun = False) -> None:
    """Run again, in order, every derived partition whose inputs have changed, and say what other rooms must do."""
    if first and last and last < first:
        raise SettingsError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}; turn them round")
    started, settings = time.perf_counter(), load_settings()
    lineage = Lineage(Warehouse(settings.warehouse_path), settings)
    planned = plan(lineage, first.date() if first else date.min, last.date() if last else date.max)
    if planned and not dry_run:
        cascade(Backfill(open_session(settings), settings, datetime.now(UTC), typer.echo), planned)
        lineage = Lineage(lineage.warehouse, settings)
    for each in planned if dry_run else ():
        typer.echo(each.line())
    _say_left(lineage, {each.partition for each in planned})
    verb = "would be run" if dry_run else "were run"
    typer.echo(f"{len(planned)} partitions {verb} again in {time.perf_counter() - started:.1f} s")


def _say_left(lineage: Lineage, planned: Collection[Partition]) -> None:
    for each in lineage.stale():
        if each.partition not in planned:
            missing = lineage.missing(each.job, each.partition.dt) if each.job else []
            typer.echo(f"left: {each.line()}{f' after {missing[0]} is written' if missing else ''}")
    for then, held in to_bring_on(lineage, planned).items():
        typer.echo(f"then {then}: it holds {held[0]}")
