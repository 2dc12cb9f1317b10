"""`sync_metastore`: point every Hive partition at the snapshot that the warehouse's pointer names.

A writer that is killed between its commit and its word to Hive leaves Hive one snapshot behind; this brings it up.
"""

from datetime import UTC, datetime

import typer

from contracts.settings import load_settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import ALL_TABLES
from jobs.session import open_session
from jobs.tables import Tables


def sync_metastore(tables: Tables) -> dict[str, int]:
    """Sync all tables that have a partition; how many partitions each has."""
    synced = {}
    for table in ALL_TABLES.values():
        found = (tables.warehouse.current(table, day) for day in tables.warehouse.dates(table))
        snapshots: list[Snapshot] = [snapshot for snapshot in found if snapshot is not None]
        if snapshots:
            tables.sync(table, snapshots)
            synced[table.name] = len(snapshots)
    return synced


def command() -> None:
    """Point all Hive partitions at their current snapshots: after a writer was killed, or for a new metastore."""
    settings = load_settings()
    tables = Tables(open_session(settings), Warehouse(settings.warehouse_path), datetime.now(UTC))
    for name, partitions in sync_metastore(tables).items():
        typer.echo(f"{name}: {partitions} partitions")
