"""What each system has written for a day: rows by the manifests, and one of them to look at."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.dataset as ds

from contracts import columns as c
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import DERIVED_TABLES

_TELLING: Final = (
    c.STREAMER_IDS,
    c.RANK,
    c.EXPLORATION_KIND,
    c.SOURCE,
    c.VALUE,
    c.SCORE,
    c.VALUE_LOWER_BOUND,
    c.VALUED_RATE,
    c.ORIENTATION,
    c.SUPPORT,
    c.VIEWERS,
    c.SEGMENT,
    c.LABEL_VALUED,
    c.VERDICT,
)
"""What a row is looked at for, where its table has it."""
_LISTED: Final = 3


def systems(settings: Settings, day: date) -> Iterator[str]:
    """One line for every derived table that has a partition of the day: command, table, rows, example."""
    warehouse = Warehouse(settings.warehouse_path)
    for table in DERIVED_TABLES:
        snapshot = warehouse.current(table, day)
        if snapshot is not None:
            example = _example(table, snapshot) if snapshot.rows else "nothing on this day"
            command = table.owner.removeprefix("python -m ")
            yield f"  {command:<30}{table.name:<26}{snapshot.rows:>10,} rows  {example}"


def _example(table: Table, snapshot: Snapshot) -> str:
    """A row, a best one where they are ranked: the columns of the key, then those it is looked at for."""
    others = [name for name in _TELLING if name in table.column_names and name not in table.key]
    parts = ds.dataset(sorted(snapshot.path.glob("*.parquet")), table.schema, format="parquet")
    best = pc.field(c.RANK) == 1 if c.RANK in table.column_names else None
    rows = parts.to_table(columns=[*table.key, *others], filter=best)
    first = pc.select_k_unstable(rows, 1, [(name, "ascending") for name in table.key])  # the same in every run
    (row,) = rows.take(first).to_pylist()
    return ", ".join(f"{name} {_short(value)}" for name, value in row.items() if value is not None)


def _short(value: Any) -> str:  # noqa: ANN401  whatever a column holds
    if isinstance(value, list):
        return " ".join(map(str, value[:_LISTED])) + (" ..." if len(value) > _LISTED else "")
    return f"{value:.3g}" if isinstance(value, float) else str(value)
