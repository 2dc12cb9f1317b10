"""`forget`: erased users leave every table, and what was written before is deleted, not only replaced.

A partition that names none of them is not touched. One that does gets a snapshot without them that stands for the old
one: what was computed from it is not stale, since what must go of that goes here, too. Counts and other aggregates over
many users keep what they once counted until their window has passed.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import typer

from contracts.commits import ABANDONED_AFTER
from contracts.erasure import Erased, tables_with_users
from contracts.schema import Table
from contracts.settings import Settings, load_settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.importers.raw_log import SCRATCH_PREFIX
from jobs.session import open_session
from jobs.tables import Tables

Follow = Callable[[Table, Sequence[Snapshot]], None]
"""Hears of a table's new snapshots before the old ones are deleted."""


@dataclass(frozen=True)
class Forgotten:
    """What was done in one table.

    Args:
        rewritten: Partitions that named an erased user.
        deleted: Snapshots that are no longer on disk.
    """

    table: str
    rewritten: int
    deleted: int


def forget(warehouse: Warehouse, erased: Erased, follow: Follow, now: datetime) -> Iterator[Forgotten]:
    """Take the users out of every table; what a job writes from older rows while this runs is found the next time.

    Killed at any moment, a second run ends the work.
    """
    for table in tables_with_users():
        days = warehouse.begun(table)
        rewritten = [snapshot for dt in days if (snapshot := _rewritten(warehouse, erased, table, dt, now)) is not None]
        if rewritten:
            follow(table, rewritten)
        deleted = sum(warehouse.purge(table, dt, now, partial(_name, erased, table)) for dt in days)
        if rewritten or deleted:
            yield Forgotten(table.name, len(rewritten), deleted)


def _rewritten(warehouse: Warehouse, erased: Erased, table: Table, dt: date, now: datetime) -> Snapshot | None:
    """The partition's new snapshot, where it needs one; begun anew should a job commit another one meanwhile."""
    while (current := warehouse.current(table, dt)) is not None and _name(erased, table, current.path):
        staged = warehouse.stage(table, dt, now)
        staged.mkdir()
        rows = sum(_copied(path, staged / path.name, table, erased) for path in _files(current.path))
        superseding = warehouse.supersede(current, staged, rows)
        if superseding is not None:
            return superseding
    return None


def _copied(source: Path, target: Path, table: Table, erased: Erased) -> int:
    """Write a file without the users, one row group at a time; returns its rows."""
    if not erased.are_named_in(table, [source]):
        _link(source, target)
        return int(pq.read_metadata(target).num_rows)
    rows = 0
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for group in range(file.num_row_groups):
            kept = erased.left_out_of(table, file.read_row_group(group))
            writer.write_table(kept)
            rows += kept.num_rows
    return rows


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; not every file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _name(erased: Erased, table: Table, snapshot: Path) -> bool:
    return erased.are_named_in(table, _files(snapshot))


def _files(snapshot: Path) -> list[Path]:
    return sorted(snapshot.glob("*.parquet"))


def _delete_scratch(settings: Settings, now: datetime) -> int:
    """Copies of log files that killed imports left."""
    left = [
        folder
        for folder in settings.home.resolve().glob(f"{SCRATCH_PREFIX}*")
        if now - datetime.fromtimestamp(folder.stat().st_mtime, UTC) > ABANDONED_AFTER
    ]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def command() -> None:
    """Take erased users out of all tables, and delete the snapshots and scratch files that held them."""
    started, settings, now = time.perf_counter(), load_settings(), datetime.now(UTC)
    warehouse = Warehouse(settings.warehouse_path)
    erased = Erased.of(warehouse)

    def tell_hive(table: Table, snapshots: Sequence[Snapshot]) -> None:
        Tables(open_session(settings), warehouse, now).sync(table, snapshots)

    for done in forget(warehouse, erased, tell_hive, now):
        typer.echo(f"{done.table}: {done.rewritten} partitions rewritten, {done.deleted} old snapshots deleted")
    scratch = _delete_scratch(settings, now)
    seconds = time.perf_counter() - started
    typer.echo(f"{len(erased)} erased users are in no table; {scratch} scratch folders deleted; {seconds:.1f} s")
