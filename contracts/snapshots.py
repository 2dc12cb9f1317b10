"""Partitions as immutable snapshots behind one pointer, for readers and writers with and without Spark.

    <warehouse>/<table>/dt=2026-01-31/snapshot=<id>/*.parquet, _manifest.json
    <warehouse>/<table>/dt=2026-01-31/current -> snapshot=<id>

Replacing the symbolic link `current` is the one commit point: a reader resolves it once and then reads files that
nobody changes, so it sees the old partition or the new one, whole, also when a writer is killed at any moment. The
Hive partition's location follows the pointer (`jobs`). The snapshot before the current one is kept for readers that
resolved it earlier; older ones are swept by the next commit. Only `supersede`, by which erased users leave, makes a
snapshot that counts as the same one; what it replaced goes at once.
"""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from contracts import columns as c
from contracts.commits import (
    ABANDONED_AFTER,
    MANIFEST,
    POINTER,
    STAMP,
    locked,
    point_at,
    pointed_at,
    was_committed,
    written_at,
)
from contracts.errors import CorruptSnapshotError, MissingPartitionError, PartialDayError
from contracts.schema import Table


@dataclass(frozen=True)
class Snapshot:
    """One written state of one partition.

    Args:
        inputs: Snapshot ids it was computed from, by `table/dt`: what a re-run of an old day makes stale.
        until: Of an hourly run: what began later is not in it. None where it is of the whole day.
        stands_for: Ids of snapshots that this is a copy of, less the users who were erased: nothing is stale by it.
    """

    table: str
    dt: str
    snapshot_id: str
    path: Path
    rows: int
    inputs: dict[str, str] = field(default_factory=dict)
    until: datetime | None = None
    stands_for: tuple[str, ...] = ()

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
        pointers = (self.root / table.name).glob(f"{c.DT}=*/{POINTER}")
        return sorted(date.fromisoformat(pointer.parent.name.removeprefix(f"{c.DT}=")) for pointer in pointers)

    def current(self, table: Table, dt: date) -> Snapshot | None:
        """The committed snapshot of a partition, or None.

        Raises:
            CorruptSnapshotError: the pointer names a snapshot without a manifest.
        """
        partition = self.partition_path(table, dt)
        target = pointed_at(partition)
        if target is None:
            return None
        path = partition / target
        try:
            manifest = json.loads((path / MANIFEST).read_text())
        except FileNotFoundError as error:
            raise CorruptSnapshotError(
                f"{partition / POINTER} names {target}, which has no {MANIFEST}; run {table.owner} for this day again"
            ) from error
        return _described(path, manifest)

    def begun(self, table: Table) -> list[date]:
        """Days with a folder, whether anything in it was ever committed or not, oldest first."""
        folders = (self.root / table.name).glob(f"{c.DT}=*")
        return sorted(date.fromisoformat(folder.name.removeprefix(f"{c.DT}=")) for folder in folders)

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
        identity = f"{now.astimezone(UTC):{STAMP}}-{secrets.token_hex(4)}"
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
        with locked(staged.parent):
            if until is not None:
                self._refuse_part_of_whole(table, dt, staged)
                manifest["until"] = until.isoformat()
            previous = pointed_at(staged.parent)
            point_at(staged, manifest)
            self._sweep(staged, keep={staged.name, previous})
        return _described(staged, manifest)

    def supersede(self, old: Snapshot, staged: Path, rows: int) -> Snapshot | None:
        """Put a staged copy of a snapshot, less the users who were erased, in its place; nothing is stale by that.

        The old one stays until `purge`, for Hive still points at it. None, and nothing is changed, where a writer has
        committed another one since.
        """
        manifest = json.loads((old.path / MANIFEST).read_text())
        manifest |= {"rows": rows, "stands_for": [*old.stands_for, old.snapshot_id]}
        with locked(staged.parent):
            if pointed_at(staged.parent) != old.path.name:
                shutil.rmtree(staged)
                return None
            point_at(staged, manifest)
        return _described(staged, manifest)

    def purge(self, table: Table, dt: date, now: datetime, must_go: Callable[[Path], bool]) -> int:
        """Delete the snapshots before the current one that must go, and what killed writers left; how many went."""
        partition = self.partition_path(table, dt)
        is_left = {path: not was_committed(path) for path in partition.glob(f"{c.SNAPSHOT}=*")}
        old = [path for path in is_left if path.name != pointed_at(partition)]
        doomed = [
            path for path in old if (now - written_at(path) > ABANDONED_AFTER if is_left[path] else must_go(path))
        ]
        for path in doomed:
            shutil.rmtree(path, ignore_errors=True)
        return len(doomed)

    @contextmanager
    def exclusive(self, table: Table) -> Iterator[None]:
        """For a writer that adds to what a table has: one such writer at a time."""
        folder = self.root / table.name
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            yield

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
    def _sweep(newest: Path, keep: set[str | None]) -> None:
        """Remove what was committed before the last two, and what killed writers left more than a day ago."""
        for path in newest.parent.glob(f"{c.SNAPSHOT}=*"):
            is_old = written_at(newest) - written_at(path) > ABANDONED_AFTER
            if path.name not in keep and (was_committed(path) or is_old):
                shutil.rmtree(path, ignore_errors=True)


def _described(path: Path, manifest: dict[str, Any]) -> Snapshot:
    """A snapshot as its manifest has it."""
    return Snapshot(
        table=manifest["table"],
        dt=manifest["dt"],
        snapshot_id=path.name.removeprefix(f"{c.SNAPSHOT}="),
        path=path,
        rows=manifest["rows"],
        inputs=manifest["inputs"],
        until=datetime.fromisoformat(manifest["until"]) if "until" in manifest else None,
        stands_for=tuple(manifest.get("stands_for", ())),
    )
