"""From ids of any size to rows of an embedding table; row 0 stands for every id that training has not met."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.two_tower.config import TableSizes

IntArray = npt.NDArray[np.int64]
UNKNOWN = 0


@dataclass(frozen=True)
class Vocabulary:
    """Sorted values, distinct but where one was erased; the row of `values[i]` is i + 1."""

    values: npt.NDArray[Any]

    @classmethod
    def of(cls, *values: npt.NDArray[Any]) -> "Vocabulary":
        return cls(np.unique(np.concatenate(values)))

    @property
    def size(self) -> int:
        """Rows of the table, row 0 included."""
        return len(self.values) + 1

    def without(self, erased: npt.NDArray[Any]) -> "Vocabulary":
        """The same rows; those of erased values belong to nobody: each repeats the value before it, which `rows` finds
        first, or the least of all values, where there is none before it."""
        kept = ~np.isin(self.values, erased)
        place = np.maximum.accumulate(np.where(kept, np.arange(len(self.values)), -1))
        return Vocabulary(np.where(place < 0, np.iinfo(np.int64).min, self.values[place]))

    def rows(self, wanted: npt.NDArray[Any]) -> IntArray:
        """Row of each wanted value, 0 where it is unknown."""
        if len(self.values) == 0:
            return np.zeros(wanted.shape, dtype=np.int64)
        place = np.searchsorted(self.values, wanted).clip(max=len(self.values) - 1)
        return np.where(self.values[place] == wanted, place + 1, UNKNOWN).astype(np.int64)


@dataclass(frozen=True)
class Vocabularies:
    """All of a model's vocabularies. Contents and streamers share one table of items: contents first."""

    users: Vocabulary
    contents: Vocabulary
    streamers: Vocabulary
    categories: Vocabulary

    @property
    def sizes(self) -> TableSizes:
        items = self.contents.size + self.streamers.size - 1
        return TableSizes(self.users.size, items, self.streamers.size, self.categories.size)

    def streamer_item_rows(self, streamer_ids: IntArray) -> IntArray:
        """Row of each streamer in the table of items."""
        rows = self.streamers.rows(streamer_ids)
        return np.where(rows == UNKNOWN, UNKNOWN, rows + self.contents.size - 1)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name).values for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Vocabularies":
        return cls(**{name: Vocabulary(arrays[name]) for name in cls.__dataclass_fields__})
