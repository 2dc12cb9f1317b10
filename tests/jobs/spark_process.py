"""A second program with a Spark of its own, for what one process cannot show: kills, and two readers of one metastore.

It takes commands, one a line, and answers each with one line of JSON: `write G` replaces the partition by `ROWS` rows
of generation G, `read` and `hive` count the rows per generation, `sync` runs `sync_metastore`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import HIVE_DATABASE, ContentKind
from contracts.settings import load_settings
from contracts.snapshots import Warehouse
from contracts.tables import WATCH_EVENT
from jobs.commands.sync_metastore import sync_metastore
from jobs.session import open_session
from jobs.tables import Tables

DAY, NEXT_DAY = date(2026, 1, 30), date(2026, 1, 31)
ROWS = 2_000
_FILES = 8
_REPOSITORY = Path(__file__).parents[2]


class SparkProcess:
    """The program, started; leaving the context kills it and its JVM."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.spark_process"],
            cwd=_REPOSITORY,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # so that one kill takes the JVM along
        )

    def send(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, int]:
        """The next answer.

        Raises:
            RuntimeError: the program ended without one.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                found: dict[str, int] = json.loads(line)
                return found
        raise RuntimeError(f"the Spark process ended; see {self._log.name}")

    def ask(self, command: str) -> dict[str, int]:
        self.send(command)
        return self.answer()

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()


def generations(warehouse: Warehouse, day: date = DAY) -> dict[str, int]:
    """Rows per generation, as a reader without Spark finds them."""
    seconds = warehouse.read(WATCH_EVENT, day, [c.WATCHED_SECONDS]).column(0).to_pylist()
    return {str(int(generation)): seconds.count(generation) for generation in set(seconds)}


def _rows(spark: SparkSession, generation: int) -> DataFrame:
    values = {
        c.USER_ID: f.col("id"),
        c.CONTENT_ID: f.col("id"),
        c.CONTENT_KIND: f.lit(ContentKind.CLIP.value),
        c.STREAMER_ID: f.col("id"),
        c.EVENT_TIME: f.lit(datetime(2026, 1, 30, tzinfo=UTC)),
        c.WATCHED_SECONDS: f.lit(float(generation)),
        c.IS_CLICK: f.lit(True),
        c.LOGGED_VALUED: f.lit(True),
        c.SURFACE: f.lit(None).cast("string"),
        c.REQUEST_ID: f.lit(None).cast("string"),
    }
    return spark.range(0, ROWS, 1, _FILES).select(*(value.alias(name) for name, value in values.items()))


def _write(tables: Tables, generation: str) -> dict[str, int]:
    """Odd generations as a job does, even ones as an import does: both days at once."""
    rows = _rows(tables.spark, int(generation))
    if int(generation) % 2:
        tables.write(WATCH_EVENT, DAY, rows)
    else:
        both = f.explode(f.array(f.lit(DAY.isoformat()), f.lit(NEXT_DAY.isoformat())))
        tables.write_days(WATCH_EVENT, [DAY, NEXT_DAY], rows.withColumn(c.DT, both))
    return {generation: ROWS}


def _read(tables: Tables) -> dict[str, int]:
    return _counted(tables.read(WATCH_EVENT, [DAY]))


def _hive(tables: Tables) -> dict[str, int]:
    table = tables.spark.table(f"{HIVE_DATABASE}.{WATCH_EVENT.name}")
    return _counted(table.where(f.col(c.DT) == DAY.isoformat()))


def _counted(rows: DataFrame) -> dict[str, int]:
    return {str(int(row[0])): row[1] for row in rows.groupBy(c.WATCHED_SECONDS).count().collect()}


def main() -> None:
    settings = load_settings()
    spark = open_session(settings)
    verbs = {"write": _write, "read": _read, "hive": _hive, "sync": sync_metastore}
    for line in sys.stdin:
        verb, *arguments = line.split()
        tables = Tables(spark, Warehouse(settings.warehouse_path), datetime.now(UTC))
        sys.stdout.write(json.dumps(verbs[verb](tables, *arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
