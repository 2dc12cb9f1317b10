"""`backfill`: the derived jobs for every day of a range, in one process and one session.

A job computes several days together: planning a query takes as long for a week as for a day, and what it reads is read
once. It starts when what it reads of these days and of those before has been written; jobs that do not wait for each
other run side by side, because a small Spark job leaves cores idle while it is planned and committed.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

from pyspark.sql import SparkSession

from contracts.clock import days_between
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.commands.registry import Job
from jobs.tables import Tables

Report = Callable[[str], None]
Work = tuple[Job, Sequence[date]]
"""A job and the days that it computes together."""


@dataclass(frozen=True)
class Backfill:
    """What every job of the range shares.

    Args:
        now: Time of the run, for snapshot ids only.
        report: Takes one line of progress at a time.
        until: Of an hourly run: the end of the hour.
    """

    spark: SparkSession
    settings: Settings
    now: datetime
    report: Report
    until: datetime | None = None

    def run(self, jobs: Sequence[Job], first: date, last: date) -> list[Snapshot]:
        """Run the jobs for every day from `first` to `last`, both included; the first error ends the range."""
        ranges = together(list(days_between(first, last)), self.settings.spark.days_per_job)
        return side_by_side([(job, days) for days in ranges for job in jobs], self.compute, self.settings)

    def compute(self, job: Job, days: Sequence[date]) -> list[Snapshot]:
        """Run one job for consecutive days."""
        started = time.perf_counter()
        tables = Tables(self.spark, Warehouse(self.settings.warehouse_path), self.now, self.until)
        snapshots = job.run(tables, days, self.settings)
        seconds = time.perf_counter() - started
        for snapshot in snapshots:
            self.report(f"{snapshot.dt} {job.name}: {snapshot.rows} rows")
        self.report(f"{days[0]} to {days[-1]} {job.name}: {seconds:.1f} s")
        return snapshots


def together(days: Sequence[date], count: int) -> list[Sequence[date]]:
    """At most `count` of the days at a time."""
    return [days[start : start + count] for start in range(0, len(days), count)]


def side_by_side(
    work: Iterable[Work], compute: Callable[[Job, Sequence[date]], list[Snapshot]], settings: Settings
) -> list[Snapshot]:
    """Compute all of it; one waits for everything before it that writes what it reads. The first error ends it."""
    started: list[tuple[Job, Future[list[Snapshot]]]] = []

    def compute_after(job: Job, days: Sequence[date], upstream: Sequence[Future[list[Snapshot]]]) -> list[Snapshot]:
        for future in upstream:
            future.result()
        return compute(job, days)

    with ThreadPoolExecutor(settings.spark.concurrent_jobs) as pool:
        for job, days in work:
            read = job.reads(settings)
            upstream = [future for other, future in started if any(table.name in read for table in other.tables)]
            started.append((job, pool.submit(compute_after, job, days, upstream)))
        return _results(pool, [future for _, future in started])


def _results(pool: ThreadPoolExecutor, futures: Sequence[Future[list[Snapshot]]]) -> list[Snapshot]:
    try:
        return [snapshot for future in futures for snapshot in future.result()]
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
