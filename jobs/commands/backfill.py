"""`backfill`: the derived jobs for every day of a range, in one process and one session.

A job computes several days together: planning a query takes as long for a week as for a day, and what it reads is read
once. It starts when what it reads of these days and of those before has been written; jobs that do not wait for each
other run side by side, because a small Spark job leaves cores idle while it is planned and committed.
"""

import time
from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class Backfill:
    """What every job of the range shares.

    Args:
        now: Time of the run, for snapshot ids only.
        report: Takes one line of progress at a time.
    """

    spark: SparkSession
    settings: Settings
    now: datetime
    report: Report

    def run(self, jobs: Sequence[Job], first: date, last: date) -> list[Snapshot]:
        """Run the jobs for every day from `first` to `last`, both included; the first error ends the range."""
        done: list[tuple[Job, Future[list[Snapshot]]]] = []
        with ThreadPoolExecutor(self.settings.spark.concurrent_jobs) as pool:
            for days in _together(list(days_between(first, last)), self.settings.spark.days_per_job):
                for job in jobs:
                    done.append((job, pool.submit(self._run_one, job, days, _upstream(job, done))))
            return _results(pool, [future for _, future in done])

    def _run_one(self, job: Job, days: Sequence[date], upstream: Sequence[Future[list[Snapshot]]]) -> list[Snapshot]:
        for future in upstream:
            future.result()
        started = time.perf_counter()
        tables = Tables(self.spark, Warehouse(self.settings.warehouse_path), self.now)
        snapshots = job.run(tables, days, self.settings)
        seconds = time.perf_counter() - started
        for snapshot in snapshots:
            self.report(f"{snapshot.dt} {job.name}: {snapshot.rows} rows")
        self.report(f"{days[0]} to {days[-1]} {job.name}: {seconds:.1f} s")
        return snapshots


def _together(days: Sequence[date], count: int) -> list[Sequence[date]]:
    return [days[start : start + count] for start in range(0, len(days), count)]


def _upstream(job: Job, done: Sequence[tuple[Job, Future[list[Snapshot]]]]) -> list[Future[list[Snapshot]]]:
    """Everything submitted so far, of these days and of those before, that writes what the job reads."""
    return [future for other, future in done if other.writes in job.reads]


def _results(pool: ThreadPoolExecutor, futures: Sequence[Future[list[Snapshot]]]) -> list[Snapshot]:
    try:
        return [snapshot for future in futures for snapshot in future.result()]
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
