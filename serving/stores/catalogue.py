"""What the online path knows of contents and streamers: visibility and names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contracts import columns as c
from contracts.names import Visibility
from contracts.payload import Ids
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, STREAMER


class Catalogue(Protocol):
    """Look-ups by id; in process now, a search engine later."""

    def visible(self, content_ids: Ids) -> npt.NDArray[np.bool_]:
        """(K,) false for what is known to be private or removed; what is not in the catalogue counts as public."""

    def titles(self, content_ids: Ids) -> list[str | None]: ...

    def names(self, streamer_ids: Ids) -> list[str | None]: ...

    def streamer(self, content_id: int) -> int | None:
        """Whose content it is; None for what is not in the catalogue."""


@dataclass(frozen=True)
class _Index:
    """Row numbers by id."""

    sorted_ids: Ids
    order: npt.NDArray[np.intp]

    @classmethod
    def over(cls, ids: Ids) -> "_Index":
        order = np.argsort(ids, kind="stable")
        return cls(ids[order], order)

    def rows(self, ids: Ids) -> npt.NDArray[np.intp]:
        """(K,) row of each id, -1 where there is none."""
        if len(self.sorted_ids) == 0:
            return np.full(len(ids), -1, np.intp)
        place = np.minimum(np.searchsorted(self.sorted_ids, ids), len(self.sorted_ids) - 1)
        return np.where(self.sorted_ids[place] == ids, self.order[place], -1)


class InProcessCatalogue:
    """The latest snapshots of contents and streamers, in memory.

    Args:
        contents: Rows of `content_v1`.
        streamers: Rows of `streamer_v1`.
    """

    def __init__(self, contents: pa.Table, streamers: pa.Table) -> None:
        self._contents = _Index.over(contents.column(c.CONTENT_ID).to_numpy())
        visibility = contents.column(c.VISIBILITY).to_numpy(zero_copy_only=False)
        self._is_public: npt.NDArray[np.bool_] = visibility.astype(str) == Visibility.PUBLIC
        self._titles = contents.column(c.TITLE)
        self._owners = contents.column(c.STREAMER_ID)
        self._streamers = _Index.over(streamers.column(c.STREAMER_ID).to_numpy())
        self._names = streamers.column(c.NAME)

    @classmethod
    def latest(cls, warehouse: Warehouse) -> "InProcessCatalogue":
        """The newest partitions; empty for a log without a catalogue."""
        contents = _latest(warehouse, CONTENT, [c.CONTENT_ID, c.STREAMER_ID, c.TITLE, c.VISIBILITY])
        return cls(contents, _latest(warehouse, STREAMER, [c.STREAMER_ID, c.NAME]))

    def visible(self, content_ids: Ids) -> npt.NDArray[np.bool_]:
        rows = self._contents.rows(content_ids)
        if len(self._is_public) == 0:
            return np.ones(len(content_ids), bool)
        return np.where(rows >= 0, self._is_public[rows], True)

    def titles(self, content_ids: Ids) -> list[str | None]:
        return _values(self._titles, self._contents.rows(content_ids))

    def names(self, streamer_ids: Ids) -> list[str | None]:
        return _values(self._names, self._streamers.rows(streamer_ids))

    def streamer(self, content_id: int) -> int | None:
        (row,) = self._contents.rows(np.array([content_id], np.int64))
        return self._owners[int(row)].as_py() if row >= 0 else None


def _values(column: pa.ChunkedArray, rows: npt.NDArray[np.intp]) -> list[str | None]:
    return [column[int(row)].as_py() if row >= 0 else None for row in rows]


def _latest(warehouse: Warehouse, table: Table, columns: Sequence[str]) -> pa.Table:
    dates = warehouse.dates(table)
    if not dates:
        return table.schema.empty_table().select(list(columns))
    return warehouse.read(table, dates[-1], columns)
