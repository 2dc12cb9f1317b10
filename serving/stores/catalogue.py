"""What the online path knows of contents and streamers: who may see them, and how they are called."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import Visibility
from contracts.payload import KINDS, Ids, encode
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, STREAMER
from serving.kernels import places, slots_of

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
_MOMENT_SECONDS = 60
"""Cuts of one broadcast that begin in the same minute show the same moment."""


class Catalogue(Protocol):
    """Look-ups by id; in process now, a search engine later.

    A row is where a content stands, -1 for one that the catalogue does not have: such a content counts as public,
    for everybody, and of no language.
    """

    def rows(self, content_ids: Ids) -> Index:
        """(K,) rows of contents."""

    def is_public(self, rows: Index) -> Mask:
        """(K,) false for what is known to be private or removed."""

    def is_in(self, rows: Index, languages: frozenset[str]) -> Mask:
        """(K,) of one of these languages, or of none."""

    def min_ages(self, rows: Index) -> npt.NDArray[np.uint8]:
        """(K,) years that a viewer must have; 0 for everybody."""

    def moments(self, rows: Index) -> Ids:
        """(K,) contents that show the same moment of a broadcast share a number; -1 for those without a broadcast."""

    def kinds(self, rows: Index) -> npt.NDArray[np.uint8]:
        """(K,) positions in `contracts.payload.KINDS`; the rows must be known."""

    def owners(self, rows: Index) -> Ids:
        """(K,) whose contents these are; the rows must be known."""

    def titles(self, rows: Index) -> list[str | None]: ...

    def names(self, streamer_ids: Ids) -> list[str | None]: ...

    def streamer(self, content_id: int) -> int | None:
        """Whose content it is; None for what is not in the catalogue."""


class _Rows:
    """Places of ids in a column."""

    def __init__(self, ids: Ids) -> None:
        self._ids = np.ascontiguousarray(ids)
        self._slots = slots_of(self._ids)

    def of(self, ids: Ids) -> Index:
        """(K,) place of each id, -1 where there is none."""
        return places(self._slots, self._ids, ids)


class InProcessCatalogue:
    """The latest snapshots of contents and streamers, in memory.

    Every column has one value more than there are contents, so that row -1 is what is said of an unknown one.

    Args:
        contents: Rows of `content_v1`.
        streamers: Rows of `streamer_v1`.
    """

    def __init__(self, contents: pa.Table, streamers: pa.Table) -> None:
        contents = contents.sort_by(c.CONTENT_ID)
        streamers = streamers.sort_by(c.STREAMER_ID)
        self._contents = _Rows(contents.column(c.CONTENT_ID).to_numpy())
        self._owners = contents.column(c.STREAMER_ID).to_numpy()
        self._kinds = encode(contents.column(c.CONTENT_KIND).to_pylist(), KINDS)
        visibility = pc.equal(contents.column(c.VISIBILITY), str(Visibility.PUBLIC))
        self._is_public: Mask = _with_unknown(visibility.to_numpy(zero_copy_only=False).astype(bool), True)
        self._min_ages = _with_unknown(pc.fill_null(contents.column(c.MIN_AGE), 0).to_numpy().astype(np.uint8), 0)
        self._languages, self._language_codes = _coded(contents.column(c.LANGUAGE))
        self._moments = _with_unknown(_moments(contents), -1)
        self._titles = _texts(contents.column(c.TITLE))
        self._streamers = _Rows(streamers.column(c.STREAMER_ID).to_numpy())
        self._names = _texts(streamers.column(c.NAME))

    @classmethod
    def latest(cls, warehouse: Warehouse) -> "InProcessCatalogue":
        """The newest partitions; empty for a log without a catalogue."""
        of_contents = (c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID, c.TITLE, c.VISIBILITY, c.LANGUAGE, c.MIN_AGE)
        contents = _latest(warehouse, CONTENT, (*of_contents, c.BROADCAST_ID, c.OFFSET_SECONDS))
        return cls(contents, _latest(warehouse, STREAMER, (c.STREAMER_ID, c.NAME)))

    def rows(self, content_ids: Ids) -> Index:
        return self._contents.of(content_ids)

    def is_public(self, rows: Index) -> Mask:
        return self._is_public[rows]

    def is_in(self, rows: Index, languages: frozenset[str]) -> Mask:
        wanted = np.array([language in languages for language in self._languages] + [True], bool)
        return wanted[self._language_codes[rows]]

    def min_ages(self, rows: Index) -> npt.NDArray[np.uint8]:
        return self._min_ages[rows]

    def moments(self, rows: Index) -> Ids:
        return self._moments[rows]

    def kinds(self, rows: Index) -> npt.NDArray[np.uint8]:
        return self._kinds[rows]

    def owners(self, rows: Index) -> Ids:
        return self._owners[rows]

    def titles(self, rows: Index) -> list[str | None]:
        return self._titles[rows].tolist()

    def names(self, streamer_ids: Ids) -> list[str | None]:
        return self._names[self._streamers.of(streamer_ids)].tolist()

    def streamer(self, content_id: int) -> int | None:
        (row,) = self._contents.of(np.array([content_id], np.int64))
        return int(self._owners[row]) if row >= 0 else None


def _with_unknown(values: npt.NDArray[Any], unknown: object) -> npt.NDArray[Any]:
    return np.append(values, np.array([unknown], values.dtype))


def _coded(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The distinct values, and the code of each row; the code after the last value is none."""
    encoded = column.combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False).astype(np.int32)
    return words, _with_unknown(codes, len(words))


def _moments(contents: pa.Table) -> Ids:
    """A number per broadcast and minute; -1 without a broadcast or an offset."""
    minute = pc.floor(pc.divide(contents.column(c.OFFSET_SECONDS), float(_MOMENT_SECONDS)))
    known = pc.and_(pc.is_valid(minute), pc.is_valid(contents.column(c.BROADCAST_ID))).to_numpy(zero_copy_only=False)
    pairs = np.empty((len(contents), 2), np.int64)
    pairs[:, 0] = pc.fill_null(contents.column(c.BROADCAST_ID), 0).to_numpy()
    pairs[:, 1] = pc.fill_null(minute, 0.0).to_numpy()
    numbers = np.full(len(contents), -1, np.int64)
    if known.any():
        numbers[known] = np.unique(pairs[known], axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    values = np.empty(len(column) + 1, object)
    values[:-1] = column.to_pylist()
    return values


def _latest(warehouse: Warehouse, table: Table, columns: Sequence[str]) -> pa.Table:
    dates = warehouse.dates(table)
    if not dates:
        return table.schema.empty_table().select(list(columns))
    return warehouse.read(table, dates[-1], columns)
