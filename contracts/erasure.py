"""Users who were erased: who they are, and what of a table names them.

`python -m serving erase` marks a user here first. Whoever writes a list, a table, a feature or a model asks here whom
to leave out; `python -m jobs forget` takes out what was written before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from contracts import columns as c
from contracts.payload import Ids
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import ALL_TABLES, ERASED_USER, QUARANTINE

_NUMBER: Final = re.compile(r"-?\d+")


def erased_users(warehouse: Warehouse) -> dict[int, datetime]:
    """Everybody who was erased, and when."""
    erased: dict[int, datetime] = {}
    for dt in warehouse.dates(ERASED_USER):
        rows = warehouse.read(ERASED_USER, dt)
        erased.update(zip(rows[c.USER_ID].to_pylist(), rows[c.ERASED_AT].to_pylist(), strict=True))
    return erased


def mark_erased(warehouse: Warehouse, user_id: int, day: date, now: datetime) -> datetime:
    """Remember that a user is erased; returns since when, which is `now` only the first time."""
    with warehouse.exclusive(ERASED_USER):
        known = erased_users(warehouse).get(user_id)
        if known is not None:
            return known
        row = pa.Table.from_pylist([{c.USER_ID: user_id, c.ERASED_AT: now}], ERASED_USER.schema)
        before = [warehouse.read(ERASED_USER, day)] if warehouse.current(ERASED_USER, day) else []
        warehouse.write(ERASED_USER, day, pa.concat_tables([*before, row]), [], now)
        return now


def tables_with_users() -> list[Table]:
    """Every table that can name a user, but the one that says who was erased."""
    return [table for table in ALL_TABLES.values() if table != ERASED_USER and _has_users(table)]


def still_holding(warehouse: Warehouse, erased: "Erased") -> dict[str, int]:
    """How many partitions of each table still name one of them, in any snapshot that is on disk."""
    found = {}
    for table in tables_with_users():
        partitions = (warehouse.partition_path(table, dt) for dt in warehouse.begun(table))
        named = sum(erased.are_named_in(table, sorted(path.glob(f"{c.SNAPSHOT}=*/*.parquet"))) for path in partitions)
        if named:
            found[table.name] = named
    return found


def _has_users(table: Table) -> bool:
    return table == QUARANTINE or not {c.USER_ID, c.CREATOR_ID}.isdisjoint(table.column_names)


@dataclass(frozen=True)
class Erased:
    """Erased users' ids, and what of a table is theirs.

    `user_id`: the row is theirs and goes. `creator_id`: a fan's clip is its streamer's content and stays, made by
    nobody known; who made it of their own broadcasts is there as the streamer. A quarantined row goes when any number
    in it is one of the ids: which of its columns was the user is not known any more.

    Args:
        ids: Sorted, distinct.
    """

    ids: Ids

    @classmethod
    def of(cls, warehouse: Warehouse) -> "Erased":
        """Everybody who was erased."""
        return cls(np.array(sorted(erased_users(warehouse)), np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    def are_named_in(self, table: Table, files: Sequence[Path]) -> bool:
        """Whether any of a table's Parquet files names one; reads no more columns than it must."""
        if not files or not len(self):
            return False
        rows = ds.dataset([str(file) for file in files], format="parquet")
        if table == QUARANTINE:
            return any(self._in_texts(batch.column(0)).true_count for batch in rows.to_batches(columns=[c.RAW]))
        return bool(rows.count_rows(filter=self._theirs(table) | self._made_by_them(table)))

    def left_out_of(self, table: Table, rows: pa.Table) -> pa.Table:
        """The rows without them."""
        if not len(self):
            return rows
        if table == QUARANTINE:
            return rows.filter(pc.invert(self._in_texts(rows.column(c.RAW))))
        if c.USER_ID in table.column_names:
            rows = rows.filter(~self._theirs(table))
        if c.CREATOR_ID in rows.column_names:
            place = rows.schema.get_field_index(c.CREATOR_ID)
            known = pc.and_(self._are(rows.column(place)), pc.not_equal(rows.column(place), rows.column(c.STREAMER_ID)))
            nobody = pa.scalar(None, rows.schema.field(place).type)
            rows = rows.set_column(place, rows.schema.field(place), pc.if_else(known, nobody, rows.column(place)))
        return rows

    @cached_property
    def _array(self) -> pa.Array:
        return pa.array(self.ids)

    @cached_property
    def _set(self) -> frozenset[int]:
        return frozenset(self.ids.tolist())

    def _are(self, users: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.is_in(users, value_set=self._array)

    def _theirs(self, table: Table) -> pc.Expression:
        return pc.field(c.USER_ID).isin(self._array) if c.USER_ID in table.column_names else pc.scalar(False)

    def _made_by_them(self, table: Table) -> pc.Expression:
        if c.CREATOR_ID not in table.column_names:
            return pc.scalar(False)
        return pc.field(c.CREATOR_ID).isin(self._array) & (pc.field(c.CREATOR_ID) != pc.field(c.STREAMER_ID))

    def _in_texts(self, texts: pa.Array) -> pa.Array:
        """Which of the texts name one."""
        return pa.array([self._is_in(text or "") for text in texts.to_pylist()], pa.bool_())

    def _is_in(self, text: str) -> bool:
        return any(int(number) in self._set for number in _NUMBER.findall(text))
