"""Many byte strings in one buffer: what a publish writes has no Python object per list."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.payload import Ids

Bytes = npt.NDArray[np.uint8]
Columns = tuple[Bytes, Ids, Ids]


@dataclass(frozen=True)
class ByteStrings:
    """N byte strings, in any order within the buffer.

    Args:
        buffer: uint8, the bytes of all.
        starts: (N,) where each begins.
        ends: (N,) where each ends.
    """

    buffer: Bytes
    starts: Ids
    ends: Ids

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> "ByteStrings":
        return cls.ending_at(np.frombuffer(b"".join(strings), np.uint8), np.cumsum(list(map(len, strings)), dtype=int))

    @classmethod
    def ending_at(cls, buffer: Bytes, ends: Ids) -> "ByteStrings":
        """Strings that follow each other from the start of the buffer on."""
        return cls(buffer, np.concatenate([np.zeros(1, np.int64), ends])[:-1], ends)

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def columns(self) -> Columns:
        """As compiled code takes them."""
        return self.buffer, self.starts, self.ends

    def take(self, index: npt.NDArray[np.intp] | slice) -> "ByteStrings":
        """The strings of an index array or a slice, in that order; no byte is copied."""
        return ByteStrings(self.buffer, self.starts[index], self.ends[index])

    def sizes(self) -> Ids:
        """(N,)"""
        return self.ends - self.starts

    def tolist(self) -> list[bytes]:
        """Each as an object of its own."""
        whole = self.buffer.data
        return [whole[start:end].tobytes() for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]
