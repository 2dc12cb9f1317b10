"""The candidates of one request with what the hydrators found out, as columns of one length K."""

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.payload import CandidateColumns
from serving.query import LEVELS, Level

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


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
        unknown = np.full(count, -1, np.intp)
        return cls(candidates, np.full(count, LEVELS.index(level), np.uint8), unknown, unknown)

    def take(self, index: Mask | Index) -> "Frame":
        """The rows of a mask or an index array, in that order."""
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
