"""Partitions as immutable snapshots behind one pointer, for readers and writers with and without Spark.

    <warehouse>/<table>/dt=2026-01-31/snapshot=<id>/*.parquet, _manifest.json
    <warehouse>/<table>/dt=2026-01-31/current -> snapshot=<id>

Replacing the symbolic link `current` is the one commit point: a reader resolves it once and then reads files that
nobody changes, so it sees the old partition or the new one, whole, also when a writer is killed at any moment. The
Hive partition's location follows the pointer (`jobs`). The snapshot before the current one is kept for readers that
resolved it earlier; older ones are swept by the next commit.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from contracts import columns as c
from contracts.errors import CorruptSnapshotError, MissingPartitionError, PartialDayError
from contracts.schema import Table

_POINTER = "current"
_MANIFEST = "_manifest.json"
_STAMP = "%Y%m%dT%H%M%S%f"
_ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Snapshot:
    """One written state of one partition.

    Args:
        inputs: Snapshot ids it was computed from, by `table/dt`: what a re-run of an old day makes stale.
        until: Of an hourly run: what began later is not in it. None where it is of the whole day.
    """

    table: str
    dt: str
    snapshot_id: str
    path: Path
    rows: int
    inputs: dict[str, str] = field(default_factory=dict)
    until: datetime | None = None

    @property
    def reference(self) -> tuple[str, str]:
        """`(table/dt, snapshot id)`, as manifests and MLflow record it."""
        return f"{self.table}/{self.dt}", self.snapshot_id


@dataclass(frozen=True)
class Warehouse:
    """The tables' files under one root folder."""

    root: Path

    def partition_path(self, table: Table, dt: date) -> Path:
        return self.root / table.name / f"{c.DT}={dt.isoformat()}"

    def dates(self, table: Table) -> list[date]:
        """Days with a committed partition, oldest first."""
        pointers = (self.root / table.name).glob(f"{c.DT}=*/{_POINTER}")
        return sorted(date.fromisoformat(pointer.parent.name.removeprefix(f"{c.DT}=")) for pointer in pointers)

    def current(self, table: Table, dt: date) -> Snapshot | None:
        """The committed snapshot of a partition, or None.

        Raises:
            CorruptSnapshotError: the pointer names a snapshot without a manifest.
        """
        partition = self.partition_path(table, dt)
        try:
            target = os.readlink(partition / _POINTER)
        except FileNotFoundError:
            return None
        path = partition / target
        try:
            manifest = json.loads((path / _MANIFEST).read_text())
        except FileNotFoundError as error:
            raise CorruptSnapshotError(
                f"{partition / _POINTER} names {target}, which has no {_MANIFEST}; run {table.owner} for this day again"
            ) from error
        identity = target.removeprefix(f"{c.SNAPSHOT}=")
        until = datetime.fromisoformat(manifest["until"]) if "until" in manifest else None
        return Snapshot(table.name, dt.isoformat(), identity, path, manifest["rows"], manifest["inputs"], until)

    def require(self, table: Table, dt: date) -> Snapshot:
        """The committed snapshot of a partition.

        Raises:
            MissingPartitionError: nobody has written it; the message names the job to run.
        """
        snapshot = self.current(table, dt)
        if snapshot is None:
            raise MissingPartitionError(table.name, dt.isoformat(), f"{table.owner} --date {dt.isoformat()}")
        return snapshot

    def latest(self, table: Table, on_or_before: date) -> Snapshot | None:
        """The newest committed partition that is not after a day: how slowly changing tables are read."""
        days = [day for day in self.dates(table) if day <= on_or_before]
        return self.current(table, days[-1]) if days else None

    def stage(self, table: Table, dt: date, now: datetime) -> Path:
        """A fresh, not yet visible snapshot path (the folder itself is made by the writer)."""
        identity = f"{now.astimezone(UTC):{_STAMP}}-{secrets.token_hex(4)}"
        partition = self.partition_path(table, dt)
        partition.mkdir(parents=True, exist_ok=True)
        return partition / f"{c.SNAPSHOT}={identity}"

    def commit(
        self,
        table: Table,
        dt: date,
        staged: Path,
        rows: int,
        inputs: Sequence[Snapshot],
        until: datetime | None = None,
    ) -> Snapshot:
        """Make a staged snapshot the partition's current one, atomically, and sweep those no reader can hold.

        Args:
            until: Of an hourly run: what began later is not in it.

        Raises:
            PartialDayError: the partition is of the whole day, and this would be of a part.
        """
        references = dict(snapshot.reference for snapshot in inputs)
        manifest = {"table": table.name, "dt": dt.isoformat(), "rows": rows, "inputs": references}
        if until is not None:
            self._refuse_part_of_whole(table, dt, staged)
            manifest["until"] = until.isoformat()
        (staged / _MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
        pointer = staged.parent / _POINTER
        previous = os.readlink(pointer) if pointer.is_symlink() else staged.name
        beside = staged.parent / f".{_POINTER}-{staged.name}"
        beside.symlink_to(staged.name)
        os.replace(beside, pointer)
        self._sweep(staged, keep={staged.name, previous})
        identity = staged.name.removeprefix(f"{c.SNAPSHOT}=")
        return Snapshot(table.name, dt.isoformat(), identity, staged, rows, references, until)

    def write(self, table: Table, dt: date, rows: pa.Table, inputs: Sequence[Snapshot], now: datetime) -> Snapshot:
        """Write a partition from Arrow, without Spark: schema checked, then committed whole."""
        table.check(rows.schema)
        staged = self.stage(table, dt, now)
        staged.mkdir()
        pq.write_table(rows.select(table.column_names).cast(table.schema), staged / "part-00000.parquet")
        return self.commit(table, dt, staged, rows.num_rows, inputs)

    def read(self, table: Table, dt: date, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a partition into Arrow, schema checked.

        Raises:
            MissingPartitionError, SchemaMismatchError, CorruptSnapshotError
        """
        return self.read_snapshot(table, self.require(table, dt), columns)

    def read_snapshot(self, table: Table, snapshot: Snapshot, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one snapshot into Arrow, schema checked."""
        files = sorted(str(path) for path in snapshot.path.glob("*.parquet"))
        if not files:
            return table.schema.empty_table().select(list(columns or table.column_names))
        found = ds.dataset(files, format="parquet").schema
        table.check(found, written_before=True)
        dataset = ds.dataset(files, format="parquet", schema=table.read_schema(found))
        return dataset.to_table(columns=list(columns or table.column_names))

    def batches(self, table: Table, snapshot: Snapshot, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """The rows of one snapshot in the order of its files, about so many at a time, strings as dictionaries.

        A list that a file holds in one place comes in one piece or in pieces that follow each other.
        """
        strings = [name for name in columns if pa.types.is_string(table.schema.field(name).type)]
        held: list[pa.RecordBatch] = []
        for path in sorted(snapshot.path.glob("*.parquet")):
            table.check(pq.read_schema(path))
            with pq.ParquetFile(path, read_dictionary=strings) as file:
                for batch in file.iter_batches(rows, columns=list(columns)):
                    held.append(batch)
                    if sum(part.num_rows for part in held) >= rows:
                        yield pa.Table.from_batches(held)
                        held = []
        if held:
            yield pa.Table.from_batches(held)

    def _refuse_part_of_whole(self, table: Table, dt: date, staged: Path) -> None:
        current = self.current(table, dt)
        if current is not None and current.until is None:
            shutil.rmtree(staged)
            raise PartialDayError(
                f"table {table.name} dt={dt} is of the whole day, which no hourly run may replace; leave --hour out"
            )

    @staticmethod
    def _sweep(newest: Path, keep: set[str]) -> None:
        """Remove what was committed before the last two, and what killed writers left more than a day ago."""
        for path in newest.parent.glob(f"{c.SNAPSHOT}=*"):
            was_committed = (path / _MANIFEST).exists()
            is_old = _written_at(newest) - _written_at(path) > _ABANDONED_AFTER
            if path.name not in keep and (was_committed or is_old):
                shutil.rmtree(path, ignore_errors=True)


def _written_at(snapshot: Path) -> datetime:
    stamp = snapshot.name.removeprefix(f"{c.SNAPSHOT}=").partition("-")[0]
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
