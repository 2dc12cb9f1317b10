"""What a day of valuation and preferred streamers costs, against a recompute, in Spark and in DuckDB.

    python -m benchmarks.daily_batch [--rows 60000000] [--folder FOLDER] [--repeats 3]

Makes a Zipf log of 60 days, then times (a) the day after 30 and after 60 days of history with our jobs, (b) our jobs
without a state, which recompute the preferences from all valued views, (c) the same in DuckDB and (d) DuckDB's day from
the same state. Each values the views of the day first, by the watch rows of the valuation's window. Fails unless all
agree: preferences to 1e-9, values to 1e-6, because they come from sums in units of 1e-7. Prints one JSON object:
medians in seconds without the start of the JVM, peaks of resident memory in MiB, the rows of every shuffle of (a),
ratios. On a machine that is shared compare `cpu_seconds`.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from pyspark.sql import SparkSession

from benchmarks.duckdb_preferences import DuckdbPreferences, files
from benchmarks.duckdb_valuation import DuckdbValuation
from benchmarks.zipf_log import LogSize, write_zipf_log
from contracts.clock import days_between, period_start, trailing_days
from contracts.settings import Settings, SparkSettings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, PREFERRED_STREAMER, VIEW_VALUE, WATCH_EVENT
from jobs.commands import preferred_streamers, view_valuation
from jobs.session import open_session
from jobs.tables import Tables

_WHOLE: Final = LogSize(rows=60_000_000, days=60, users=1_000_000, vods=200_000, streamers=20_000)
_HALF_DAYS: Final = 30
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ANY_DAY: Final = date(2026, 3, 1)
_PARTITIONS: Final = 16
"""Of users with their window; the default of 4 is for a day of a small platform."""
_DUCKDB_MEMORY: Final = "10GB"
"""More than three times the heap of the JVM; without a limit it is killed on a machine of 24 GiB."""
_TOLERANCE: Final = 1e-9
_VALUE_TOLERANCE: Final = 1e-6
_DIFFERENCES: Final = """
WITH one AS (SELECT user_id, unnest(streamer_ids) AS streamer_id, unnest(units) / 1e12 AS score FROM ({one})),
other AS (SELECT user_id, unnest(streamer_ids) AS streamer_id, unnest(units) / 1e12 AS score FROM ({other})),
least AS (SELECT user_id, min(score) AS score FROM one GROUP BY user_id),
joined AS (
    SELECT coalesce(one.user_id, other.user_id) AS user_id, one.score AS left_score, other.score AS right_score
    FROM one FULL JOIN other USING (user_id, streamer_id)
)
SELECT count(*), count(DISTINCT user_id), max(abs(left_score - right_score)),
    count_if((left_score IS NULL OR right_score IS NULL)
        AND coalesce(abs(coalesce(left_score, right_score) - least.score) > {tolerance}, true))
FROM joined LEFT JOIN least USING (user_id)
"""
"""Of two equal scores at the end of a list, either may be in it."""
_VALUE_DIFFERENCES: Final = """
SELECT count(*), count_if(one.value IS NULL OR other.value IS NULL),
    max(greatest(abs(one.value - other.value), abs(one.user_relative - other.user_relative),
        abs(one.content_relative - other.content_relative), abs(one.weight - other.weight))),
    count_if(one.is_valued <> other.is_valued AND abs(one.value - {threshold}) > {tolerance}
        OR one.weight_reason IS DISTINCT FROM other.weight_reason OR one.completion IS DISTINCT FROM other.completion)
FROM read_parquet({one}) AS one FULL JOIN read_parquet({other}) AS other USING (user_id, content_id, view_day)
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of every run; processor seconds of a run and the largest memory of the process that did the work."""

    runs: list[float]
    cpu_seconds: float
    peak_mib: int

    @property
    def seconds(self) -> float:
        return round(statistics.median(self.runs), 2)


@dataclass
class Shuffles:
    """What the stages of a Spark session have shuffled since the last look."""

    spark: SparkSession
    seen: set[int] = field(default_factory=set)

    def rows(self) -> list[int]:
        """Rows that each finished shuffle wrote, largest first."""
        java = self.spark.sparkContext._jvm  # the session's own listener; there is no public way to it
        nothing, no_quantiles = java.java.util.ArrayList(), self.spark.sparkContext._gateway.new_array(java.double, 0)
        store = self.spark.sparkContext._jsc.sc().statusStore()
        stages = store.stageList(nothing, False, False, no_quantiles, nothing)
        found = [stages.apply(place) for place in range(stages.size())]
        fresh = [stage for stage in found if stage.stageId() not in self.seen]
        self.seen |= {stage.stageId() for stage in found}
        return sorted((rows for stage in fresh if (rows := stage.shuffleWriteRecords())), reverse=True)


@dataclass(frozen=True)
class Bench:
    """One log, its day, and what works on it."""

    home: Path
    settings: Settings
    spark: SparkSession
    day: date
    repeats: int

    @property
    def start(self) -> date:
        return period_start(self.day, self.settings.preferences.full_every_days)

    def history(self, name: str, days: int) -> Tables:
        """Tables whose log has so many days, without a state; the day itself is to be valued."""
        warehouse, log = Warehouse(self.home / name), Warehouse(self.settings.warehouse_path)
        linked = {VIEW_VALUE: trailing_days(self.day, days)[:-1]}
        linked |= {table: log.dates(table) for table in (WATCH_EVENT, CONTENT)}
        for table, partitions in linked.items():
            (warehouse.root / table.name).mkdir(parents=True, exist_ok=True)
            for day in partitions:
                warehouse.partition_path(table, day).symlink_to(log.partition_path(table, day).resolve())
        return Tables(self.spark, warehouse, _NOW)

    def with_state(self, name: str, days: int) -> Tables:
        """The same with the state and the lists up to the day before."""
        tables = self.history(name, days)
        for part in ([self.start], list(days_between(self.start + timedelta(days=1), self.day - timedelta(days=1)))):
            preferred_streamers.run(tables.afresh(), part, self.settings)
        return tables

    def rival(self, tables: Tables, name: str) -> "Rival":
        limits = {"temp_directory": str(self.home / "duckdb"), "memory_limit": _DUCKDB_MEMORY}
        connection = duckdb.connect(config=limits)
        output, late_days = self.home / f"{name}.out", self.settings.platform.late_days
        return Rival(
            DuckdbValuation(connection, tables.warehouse, self.settings, output),
            DuckdbPreferences(connection, tables.warehouse, self.settings.preferences, late_days, output),
        )

    def value_day(self, tables: Tables) -> Callable[[], Any]:
        return lambda: view_valuation.run(tables.afresh(), [self.day], self.settings)

    def spark_day(self, tables: Tables) -> Callable[[], Any]:
        """The day after its history, or of all of it where there is no state."""

        def work() -> None:
            self.value_day(tables)()
            preferred_streamers.run(tables.afresh(), [self.day], self.settings)

        return work

    def measure(self, name: str, work: Callable[[], Any], process: int, repeats: int | None = None) -> Measured:
        Path(f"/proc/{process}/clear_refs").write_text("5")  # the peak starts afresh
        runs, cpu = [], _cpu_seconds(process)
        for _ in range(repeats or self.repeats):
            started = time.perf_counter()
            work()
            runs.append(time.perf_counter() - started)
        cpu = (_cpu_seconds(process) - cpu) / len(runs)
        measured = Measured([round(seconds, 2) for seconds in runs], round(cpu, 2), _peak_mib(process))
        sys.stderr.write(f"{name}: {measured}\n")  # of a long run that dies this is what is left
        return measured


@dataclass(frozen=True)
class Rival:
    """DuckDB on the same files. What it reads of the day's values are Spark's, which are the same rows."""

    valuation: DuckdbValuation
    preferences: DuckdbPreferences

    def increment(self, day: date, start: date) -> None:
        self.valuation.run(day)
        self.preferences.increment(day, start)

    def recompute(self, day: date, start: date) -> None:
        self.valuation.run(day)
        self.preferences.recompute(day, start)


def run(bench: Bench, size: LogSize) -> dict[str, Any]:
    """Everything, on a log that has been written."""
    jvm, shuffles = bench.spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid(), Shuffles(bench.spark)
    half, whole = bench.with_state("half", _HALF_DAYS), bench.with_state("whole", size.days)
    bench.spark_day(half)()  # warms the compiler
    days = {"a_spark_day_30": bench.measure("day after 30", bench.spark_day(half), jvm)}
    days["a_spark_day"] = bench.measure("day", bench.spark_day(whole), jvm)
    days["valuation_in_a"] = bench.measure("valuation", bench.value_day(whole), jvm)
    shuffles.rows()
    bench.spark_day(whole)()
    shuffled = shuffles.rows()
    anew = bench.history("anew", size.days)
    days["b_spark_recompute"] = bench.measure("recompute", bench.spark_day(anew), jvm, repeats=1)
    rival, own = bench.rival(whole, "day"), os.getpid()
    days["valuation_in_c_and_d"] = bench.measure("rival's valuation", lambda: rival.valuation.run(bench.day), own)
    days["d_duckdb_day"] = bench.measure("rival's day", lambda: rival.increment(bench.day, bench.start), own)
    rival = bench.rival(whole, "log")
    recompute = bench.measure("rival's recompute", lambda: rival.recompute(bench.day, bench.start), own)
    days["c_duckdb_recompute"] = recompute
    seconds = {name: measured.seconds for name, measured in days.items()}
    return {
        "seconds": seconds,
        "runs": {name: measured.runs for name, measured in days.items()},
        "cpu_seconds": {name: measured.cpu_seconds for name, measured in days.items()},
        "peak_mib": {name: measured.peak_mib for name, measured in days.items()},
        "ratios": {
            "day_to_duckdb_recompute": round(seconds["a_spark_day"] / seconds["c_duckdb_recompute"], 2),
            "day_to_duckdb_day": round(seconds["a_spark_day"] / seconds["d_duckdb_day"], 2),
            "day_to_spark_recompute": round(seconds["a_spark_day"] / seconds["b_spark_recompute"], 2),
            "growth_from_30_to_60_days": round(seconds["a_spark_day"] / seconds["a_spark_day_30"] - 1, 3),
        },
        "rows_of_each_shuffle_of_a_day": shuffled,
        "agreement": agreement(bench, whole, anew),
    }


def agreement(bench: Bench, whole: Tables, anew: Tables) -> dict[str, dict[str, float]]:
    """How the four differ.

    Raises:
        ValueError: two of them do not agree.
    """
    period = list(days_between(bench.start, bench.day))
    newest = _newest(files(whole.warehouse, PREFERRED_STREAMER, period))
    of_day = _newest(files(whole.warehouse, PREFERRED_STREAMER, [bench.day]))
    recomputed = _newest(files(anew.warehouse, PREFERRED_STREAMER, [bench.day]))
    day, log = (f"FROM '{bench.home}/{name}.out/lists.parquet'" for name in ("day", "log"))
    pairs = {"a_and_b": (newest, recomputed), "a_and_c": (newest, log), "a_and_d": (of_day, day)}
    values = _value_difference(files(whole.warehouse, VIEW_VALUE, [bench.day]), bench)
    return {**{name: _difference(*pair) for name, pair in pairs.items()}, "values": values}


def _newest(paths: Sequence[str]) -> str:
    rows = f"FROM read_parquet({list(paths)}, hive_partitioning = true)"
    return f"SELECT user_id, arg_max(streamer_ids, dt) AS streamer_ids, arg_max(units, dt) AS units {rows} GROUP BY 1"


def _difference(one: str, other: str) -> dict[str, float]:
    query = _DIFFERENCES.format(one=one, other=other, tolerance=_TOLERANCE)
    places, users, largest, alone = duckdb.sql(query).fetchall()[0]
    if largest is None or largest > _TOLERANCE or alone:
        raise ValueError(f"scores differ by {largest}, and {alone} streamers are in one list only; expected none")
    return {"users": users, "places": places, "largest_score_difference": largest}


def _value_difference(ours: Sequence[str], bench: Bench) -> dict[str, float]:
    other, threshold = [f"{bench.home}/day.out/values.parquet"], bench.settings.valuation.valued_threshold
    query = _VALUE_DIFFERENCES.format(one=list(ours), other=other, threshold=threshold, tolerance=_VALUE_TOLERANCE)
    views, alone, largest, other_words = duckdb.sql(query).fetchall()[0]
    if alone or other_words or largest > _VALUE_TOLERANCE:
        raise ValueError(f"{alone} views have one value only, values differ by {largest}, {other_words} in words")
    return {"views": views, "largest_difference": largest}


def _cpu_seconds(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_mib(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _middle_of_a_period(settings: Settings) -> date:
    """The cost of a day grows through its period: one from the middle stands for all."""
    period_days = settings.preferences.full_every_days
    return period_start(_ANY_DAY, period_days) + timedelta(days=period_days // 2)


def _machine() -> dict[str, Any]:
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return {"cpu": model.partition(":")[2].strip(), "cores": os.cpu_count(), "python": platform.python_version()}


def main() -> None:
    """Write the log, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=_WHOLE.rows)
    parser.add_argument("--folder", type=Path, help="Where the log is kept; a temporary folder otherwise.")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    size = _WHOLE.scaled(arguments.rows)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        home = Path(folder)
        settings = Settings(home=home, spark=SparkSettings(driver_memory="2800m", shuffle_partitions=_PARTITIONS))
        day = _middle_of_a_period(settings)
        raw_days = settings.valuation.window_days + 1
        write_zipf_log(Warehouse(settings.warehouse_path), size, day, raw_days, np.random.default_rng(1))
        bench = Bench(home, settings, open_session(settings), day, arguments.repeats)
        command = " ".join(["python -m benchmarks.daily_batch", *sys.argv[1:]])
        result = {"command": command, "date": datetime.now(UTC).date().isoformat(), "machine": _machine()}
        json.dump({**result, "log": vars(size), **run(bench, size)}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
