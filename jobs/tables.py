"""Reading and writing the tables of `contracts` with Spark: schemas checked on both ends, partitions whole.

The pointer of `contracts.snapshots` is the one truth. Jobs read the files it names; after each commit the Hive
partition's location follows it, so that a Hive reader, too, sees one whole snapshot. Should a writer be killed between
the two steps, Hive shows the older snapshot until the next run or `python -m jobs sync_metastore`.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from contracts import columns as c
from contracts.names import HIVE_DATABASE
from contracts.schema import Table
from contracts.snapshots import Snapshot, Warehouse

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class StagedDays:
    """Days of a table that are written but that nobody sees yet.

    Args:
        folder: Holds a folder `dt=` of Parquet files for each day that has rows.
        inputs: Snapshots that each day's rows were computed from.
        judged: Within each day stands a folder for every `reason`; only what has none will be committed.
    """

    table: Table
    days: tuple[date, ...]
    folder: Path
    inputs: Mapping[date, Sequence[Snapshot]]
    judged: bool = False

    def written(self, day: date) -> Path:
        """Where the day's files are, if it has rows."""
        folder = self.folder / f"{c.DT}={day.isoformat()}"
        return folder / f"{c.REASON}={_NULL}" if self.judged else folder

    def rows(self, day: date) -> int:
        return _rows_in(self.written(day))

    def reasons(self, day: date | None = None) -> Counter[str]:
        """Rows of a day, or of all days and of none, by the reason why they will not be committed."""
        found: Counter[str] = Counter()
        for folder in self.folder.glob(f"{c.DT}={day or '*'}/{c.REASON}=*"):
            reason = folder.name.removeprefix(f"{c.REASON}=")
            if reason != _NULL:
                found[reason] += _rows_in(folder)
        return found

    def discard(self) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Tables:
    """The tables as one job sees them; remembers which snapshots it read, for the manifests of what it writes.

    Args:
        now: Time of the run, for snapshot ids only: rows never hold it, so a re-run gives equal rows.
        until: Of an hourly run: the end of the hour. What begins later does not count yet, and where the day has no
            partition of a slower table, the newest one stands in.
        inputs: What was read for all that the job writes.
        inputs_of: What was read for one day of a range, by that day.
    """

    spark: SparkSession
    warehouse: Warehouse
    now: datetime
    until: datetime | None = None
    inputs: dict[str, Snapshot] = field(default_factory=dict)
    inputs_of: defaultdict[date, dict[str, Snapshot]] = field(default_factory=lambda: defaultdict(dict))
    created: set[str] = field(default_factory=set)

    def afresh(self) -> "Tables":
        """The same tables for another job: nothing has been read yet."""
        return replace(self, inputs={}, inputs_of=defaultdict(dict))

    def read(self, table: Table, days: Iterable[date]) -> DataFrame:
        """All of the days' partitions, with `dt`.

        Raises:
            MissingPartitionError: one is not there; the message says which job to run.
        """
        return self._noted(table, [self.warehouse.require(table, day) for day in days])

    def read_for(self, table: Table, needed: Mapping[date, Sequence[date]]) -> DataFrame:
        """Every partition that a day of a range needs, once, with `dt`; those that do not exist are left out.

        Args:
            needed: By day that is written, the partitions that its rows depend on: they go into its manifest.
        """
        wanted = sorted({partition for partitions in needed.values() for partition in partitions})
        found = {dt: snapshot for dt in wanted if (snapshot := self.warehouse.current(table, dt)) is not None}
        for day, partitions in needed.items():
            existing = [found[dt] for dt in partitions if dt in found]
            self.inputs_of[day].update({snapshot.reference[0]: snapshot for snapshot in existing})
        return self._read(table, list(found.values()))

    def read_history(self, table: Table, day: date) -> DataFrame:
        """All partitions up to `day` that exist."""
        return self.read(table, [found for found in self.warehouse.dates(table) if found <= day])

    def write(self, table: Table, day: date, frame: DataFrame) -> Snapshot:
        """Replace one partition, atomically.

        Raises:
            SchemaMismatchError: the frame is not what the table says.
        """
        table.check(_arrow_schema(frame))
        staged = self.warehouse.stage(table, day, self.now)
        frame.select(*table.column_names).write.parquet(str(staged))
        snapshot = self.warehouse.commit(table, day, staged, _rows_in(staged), self.inputs_for(day), self.until)
        self.sync(table, [snapshot])
        return snapshot

    def write_days(
        self, table: Table, days: Sequence[date], frame: DataFrame | None, cumulative: bool = False
    ) -> list[Snapshot]:
        """Replace several partitions with one Spark job; a day without rows gets an empty partition.

        Args:
            frame: The table's columns and `dt`, one of `days` in every row; None for empty partitions only.
            cumulative: A day's rows build on those of the days before it, and so will what is written of it later.

        Raises:
            SchemaMismatchError: the frame is not what the table says.
        """
        snapshots = self.commit_days(self.stage_days(table, days, frame), cumulative)
        self.sync(table, snapshots)
        return snapshots

    def stage_days(
        self, table: Table, days: Sequence[date], frame: DataFrame | None, judged: bool = False
    ) -> StagedDays:
        """Write as `write_days` does, but let nobody see it: `commit_days` or `StagedDays.discard` follows.

        Args:
            judged: The frame has a `reason`, too; rows with one are only counted, and may be of no day.

        Raises:
            SchemaMismatchError: the frame is not what the table says.
        """
        folder = self.warehouse.stage(table, days[0], self.now)
        inputs = {day: self.inputs_for(day) for day in days}
        staged = StagedDays(table, tuple(days), folder, inputs, judged)
        if frame is not None:
            folders = (c.DT, c.REASON) if judged else (c.DT,)
            table.check(_arrow_schema(frame.drop(*folders)))
            rows = frame.select(*table.column_names, *folders).repartition(c.DT)
            ordered = rows.sortWithinPartitions(*folders, *(table.key or table.column_names))
            ordered.write.partitionBy(*folders).parquet(str(folder))
        return staged

    def commit_days(self, staged: StagedDays, cumulative: bool = False) -> list[Snapshot]:
        """Make what `stage_days` wrote the days' partitions, each atomically; Hive is told by `sync`."""
        snapshots: list[Snapshot] = []
        for day in staged.days:
            before = {snapshot.reference[0]: snapshot for snapshot in snapshots if cumulative}
            self.inputs_of[day].update(before)
            snapshots.append(self._adopt(staged, day, [*staged.inputs[day], *before.values()]))
        staged.discard()
        return snapshots

    def _adopt(self, staged: StagedDays, day: date, inputs: Sequence[Snapshot]) -> Snapshot:
        """Commit a folder of Parquet files, or nothing, as the day's partition."""
        table, written, own = staged.table, staged.written(day), self.warehouse.stage(staged.table, day, self.now)
        if written.is_dir():
            written.rename(own)
        else:
            own.mkdir()
            pq.write_table(table.schema.empty_table(), own / "part-00000.parquet")
        return self.warehouse.commit(table, day, own, _rows_in(own), inputs, self.until)

    def inputs_for(self, day: date) -> list[Snapshot]:
        """What the day's partition depends on, as read so far."""
        return [*self.inputs.values(), *self.inputs_of[day].values()]

    def sync(self, table: Table, snapshots: Iterable[Snapshot]) -> None:
        """Point the Hive partitions at these snapshots, making database, table and partitions where needed."""
        self.create(table)
        name = f"{HIVE_DATABASE}.{table.name}"
        known = {row[0] for row in self.spark.sql(f"SHOW PARTITIONS {name}").collect()}
        added = []
        for snapshot in snapshots:
            spec = f"PARTITION ({c.DT}='{snapshot.dt}')"
            location = f"LOCATION 'file://{snapshot.path}'"
            if f"{c.DT}={snapshot.dt}" in known:
                self.spark.sql(f"ALTER TABLE {name} {spec} SET {location}")
            else:
                added.append(f"{spec} {location}")
        if added:  # one statement: the metastore takes about as long for one partition as for many
            self.spark.sql(f"ALTER TABLE {name} ADD IF NOT EXISTS {' '.join(added)}")

    def create(self, table: Table) -> None:
        """Make the Hive database and table, where they are not there."""
        if table.name in self.created:
            return
        if not self.created:
            self.spark.sql(f"CREATE DATABASE IF NOT EXISTS {HIVE_DATABASE}")
            self.created.update(row["tableName"] for row in self.spark.sql(f"SHOW TABLES IN {HIVE_DATABASE}").collect())
        if table.name in self.created:
            return
        columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in spark_schema(table).fields)
        self.spark.sql(
            f"CREATE EXTERNAL TABLE IF NOT EXISTS {HIVE_DATABASE}.{table.name} ({columns}) "
            f"PARTITIONED BY ({c.DT} string) STORED AS PARQUET LOCATION 'file://{self.warehouse.root / table.name}'"
        )
        self.created.add(table.name)

    def _noted(self, table: Table, snapshots: Sequence[Snapshot]) -> DataFrame:
        self.inputs.update({snapshot.reference[0]: snapshot for snapshot in snapshots})
        return self._read(table, snapshots)

    def _read(self, table: Table, snapshots: Sequence[Snapshot]) -> DataFrame:
        paths = [str(snapshot.path) for snapshot in snapshots]
        if not paths:
            return self.spark.createDataFrame([], spark_schema(table).add(c.DT, "string"))
        table.check(_stored_schema(snapshots), written_before=True)
        schema = spark_schema(table).add(c.DT, "string")
        reader = self.spark.read.option("basePath", str(self.warehouse.root / table.name)).schema(schema)
        return reader.parquet(*paths)


def _rows_in(folder: Path) -> int:
    return sum(pq.read_metadata(part).num_rows for part in folder.glob("*.parquet"))


def _stored_schema(snapshots: Sequence[Snapshot]) -> pa.Schema:
    """What the snapshots hold together, from the files' footers: Spark would start a job to learn it."""
    parts = [next(snapshot.path.glob("*.parquet"), None) for snapshot in snapshots]
    return pa.unify_schemas([pq.read_schema(part) for part in parts if part is not None])


def spark_schema(table: Table) -> StructType:
    """The Spark schema of a table's stored columns."""
    return from_arrow_schema(table.schema)


def _arrow_schema(frame: DataFrame) -> pa.Schema:
    return to_arrow_schema(frame.schema, timezone="UTC")
