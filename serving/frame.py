"""The candidates of one request with what the hydrators found out, as columns of one length K."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.payload import CandidateColumns
from serving.query import LEVELS, Level

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Frame:
    """Candidates in list order.

    Args:
        candidates: (K,) columns; on live surfaces the items become broadcasts once hydrated.
        levels: (K,) uint8, positions in `LEVELS`: whose list each came from.
        is_live: (K,) the item is a broadcast that is on.
        is_visible: (K,) not private, not removed.
        titles: (K,) object, None where unknown.
    """

    candidates: CandidateColumns
    levels: npt.NDArray[np.uint8]
    is_live: Mask
    is_visible: Mask
    titles: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.candidates)

    @classmethod
    def of(cls, candidates: CandidateColumns, level: Level) -> "Frame":
        count = len(candidates)
        levels = np.full(count, LEVELS.index(level), np.uint8)
        return cls(candidates, levels, np.zeros(count, bool), np.ones(count, bool), np.full(count, None, object))

    def take(self, index: Mask | Index) -> "Frame":
        """The rows of a mask or an index array, in that order."""
        return Frame(
            self.candidates.take(index),
            self.levels[index],
            self.is_live[index],
            self.is_visible[index],
            self.titles[index],
        )

    def followed_by(self, other: "Frame") -> "Frame":
        """This frame's rows, then the other's."""
        mine, theirs = self.candidates, other.candidates
        return Frame(
            CandidateColumns(
                np.concatenate([mine.item_ids, theirs.item_ids]),
                np.concatenate([mine.kinds, theirs.kinds]),
                np.concatenate([mine.streamer_ids, theirs.streamer_ids]),
                np.concatenate([mine.sources, theirs.sources]),
                np.concatenate([mine.scores, theirs.scores]),
            ),
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.is_live, other.is_live]),
            np.concatenate([self.is_visible, other.is_visible]),
            np.concatenate([self.titles, other.titles]),
        )
