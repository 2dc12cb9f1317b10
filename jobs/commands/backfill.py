"""`backfill`: the derived jobs for every day of a range, in one process and one session.

A job of a day starts when what it reads of that day and of the days before has been written; jobs that do not wait for
each other run side by side, because a small Spark job leaves cores idle while it is planned and committed.
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
        done: dict[tuple[str, date], Future[Snapshot]] = {}
        with ThreadPoolExecutor(self.settings.spark.concurrent_jobs) as pool:
            for day in days_between(first, last):
                for job in jobs:
                    done[job.writes.name, day] = pool.submit(self._run_one, job, day, _upstream(job, done))
            return _results(pool, list(done.values()))

    def _run_one(self, job: Job, day: date, upstream: Sequence[Future[Snapshot]]) -> Snapshot:
        for future in upstream:
            future.result()
        started = time.perf_counter()
        snapshot = job.run(Tables(self.spark, Warehouse(self.settings.warehouse_path), self.now), day, self.settings)
        seconds = time.perf_counter() - started
        self.report(f"{day} {job.name}: {snapshot.rows} rows in {seconds:.1f} s")
        return snapshot


def _upstream(job: Job, done: dict[tuple[str, date], Future[Snapshot]]) -> list[Future[Snapshot]]:
    """Everything submitted so far, of this day and of those before, that writes what the job reads."""
    read = {table.name for table in job.reads}
    return [future for (table, _), future in done.items() if table in read]


def _results(pool: ThreadPoolExecutor, futures: Sequence[Future[Snapshot]]) -> list[Snapshot]:
    try:
        return [future.result() for future in futures]
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
