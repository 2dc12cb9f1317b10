"""The candidates of one request with what the hydrators found out, as columns of one length K."""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.payload import MAX_COUNT, CandidateColumns
from serving.query import LEVELS, Level

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


def _constant(value: int, kind: type[np.generic]) -> npt.NDArray[Any]:
    """A column of one value for any list, which nobody can write to."""
    column = np.full(MAX_COUNT, value, kind)
    column.flags.writeable = False
    return column


_UNKNOWN: Final[Index] = _constant(-1, np.int64)
_LEVEL_COLUMNS: Final = {level: _constant(code, np.uint8) for code, level in enumerate(LEVELS)}


def unknown_rows(count: int) -> Index:
    """(K,) -1: of each of so many candidates, that it has no row. Read-only."""
    return _UNKNOWN[:count]


class Frame(msgspec.Struct, frozen=True):
    """Candidates in list order.

    Args:
        candidates: (K,) columns; on live surfaces the items become broadcasts once hydrated.
        levels: (K,) uint8, positions in `LEVELS`: whose list each came from.
        rows: (K,) row of each content in the catalogue, -1 where it has none.
        live: (K,) row of each streamer in the live table, -1 where nothing is on.
    """

    candidates: CandidateColumns
    levels: npt.NDArray[np.uint8]
    rows: Index
    live: Index

    def __len__(self) -> int:
        return len(self.levels)

    @classmethod
    def of(cls, candidates: CandidateColumns, level: Level) -> "Frame":
        count = len(candidates)
        unknown = unknown_rows(count)
        return cls(candidates, _LEVEL_COLUMNS[level][:count], unknown, unknown)

    def take(self, index: Mask | Index) -> "Frame":
        """The rows of a mask or an index array, in that order."""
        if index.dtype == np.bool_:
            (index,) = index.nonzero()
        return Frame(self.candidates.take(index), self.levels[index], self.rows[index], self.live[index])

    def followed_by(self, other: "Frame") -> "Frame":
        """This frame's rows, then the other's."""
        if not len(self):
            return other
        return Frame(
            self.candidates.followed_by(other.candidates),
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.live, other.live]),
        )
