"""The hashes of a batch as columns, which is how they reach a store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from contracts.byte_strings import ByteStrings
from contracts.payload import Ids

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True)
class Hashes:
    """H hashes, whose fields follow each other in the columns; none is empty.

    Args:
        keys: (H,)
        edges: (H + 1,) where the fields of each begin, and the end of the last one's.
        names: Of the fields.
        values: Of the fields.
    """

    keys: Sequence[str]
    edges: Ids
    names: ByteStrings
    values: ByteStrings

    @classmethod
    def of(cls, hashes: Mapping[str, Fields]) -> "Hashes":
        """Of fields by key."""
        edges = np.cumsum([0, *map(len, hashes.values())], dtype=np.int64)
        names = ByteStrings.of([name for fields in hashes.values() for name in fields])
        values = ByteStrings.of([value for fields in hashes.values() for value in fields.values()])
        return cls(list(hashes), edges, names, values)

    @property
    def count(self) -> int:
        """Fields of all hashes."""
        return int(self.edges[-1] - self.edges[0])

    @property
    def size_bytes(self) -> int:
        """Of the values of all hashes."""
        return int(self.values.take(slice(self.edges[0], self.edges[-1])).sizes().sum())

    def items(self) -> Iterator[tuple[str, dict[bytes, bytes]]]:
        """Keys and fields, for what takes one hash at a time."""
        for key, (start, stop) in zip(self.keys, pairwise(self.edges.tolist()), strict=True):
            names, values = self.names.take(slice(start, stop)), self.values.take(slice(start, stop))
            yield key, dict(zip(names.tolist(), values.tolist(), strict=True))

    def cut(self, fields: int, size_bytes: int) -> "Iterator[Hashes]":
        """The same hashes, whole, some at a time: as few as reach one of the two, the last ones fewer."""
        sizes = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.values.sizes())])[self.edges]
        first = 0
        while first < len(self.keys):
            full = self.edges.searchsorted(self.edges[first] + fields), sizes.searchsorted(sizes[first] + size_bytes)
            last = int(min(*full, len(self.keys)))
            yield Hashes(self.keys[first:last], self.edges[first : last + 1], self.names, self.values)
            first = last
