"""Each streamer's newest representative VOD or clip: what stands in for a broadcast that is over.

One packed part for every `STREAMERS_PER_PART` streamers, little endian: u8 version (1), 3 zero bytes, u32 count N,
N x i64 streamer, N x i64 content, N x u8 kind (`contracts.payload.KINDS`).
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contracts import columns as c
from contracts.errors import PayloadError
from contracts.payload import KINDS, Ids, encode

VERSION: Final = 1
STREAMERS_PER_PART: Final = 50_000
"""850 kB a part: no single value holds up Redis or a replica."""
NEWEST_COLUMNS: Final = (c.STREAMER_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.RECENCY)
_HEADER: Final = struct.Struct("<B3xI")
Kinds = npt.NDArray[np.uint8]


class Newest(NamedTuple):
    """(K,) contents and their kinds; where there is none, `is_known` is false and the rest is 0."""

    content_ids: Ids
    kinds: Kinds
    is_known: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NewestContents:
    """Look-ups by streamer, without a round trip: 17 bytes a streamer in each worker.

    Args:
        streamer_ids: (S,) ascending.
        content_ids: (S,) the newest.
        kinds: (S,) uint8, positions in `KINDS`.
        problem: Why the table may be old; empty while it is kept fresh.
    """

    streamer_ids: Ids
    content_ids: Ids
    kinds: Kinds
    problem: str = ""

    def __len__(self) -> int:
        return len(self.streamer_ids)

    def newest(self, streamer_ids: Ids) -> Newest:
        """The newest content of each of K streamers."""
        if len(self) == 0:
            nothing = np.zeros(len(streamer_ids), np.int64)
            return Newest(nothing, nothing.astype(np.uint8), nothing.astype(bool))
        places = np.minimum(np.searchsorted(self.streamer_ids, streamer_ids), len(self) - 1)
        is_known = self.streamer_ids[places] == streamer_ids
        return Newest(self.content_ids[places] * is_known, self.kinds[places] * is_known, is_known)


def newest_of(rows: pa.Table) -> NewestContents:
    """The newest of each streamer's representative VODs and clips: the highest recency, then the better rank."""
    streamers = rows.column(c.STREAMER_ID).to_numpy()
    order = np.lexsort((rows.column(c.RANK).to_numpy(), -rows.column(c.RECENCY).to_numpy(), streamers))
    found, firsts = np.unique(streamers[order], return_index=True)
    chosen = order[firsts]
    contents = rows.column(c.CONTENT_ID).to_numpy()[chosen]
    return NewestContents(found, contents, encode(rows.column(c.CONTENT_KIND).to_pylist(), KINDS)[chosen])


def packed_parts(newest: NewestContents) -> Iterator[bytes]:
    """The table in parts, as stored."""
    for start in range(0, len(newest), STREAMERS_PER_PART):
        chosen = slice(start, start + STREAMERS_PER_PART)
        columns = newest.streamer_ids[chosen], newest.content_ids[chosen], newest.kinds[chosen]
        packed = b"".join(column.tobytes() for column in columns)
        yield _HEADER.pack(VERSION, len(columns[0])) + packed


def read_newest(parts: Iterable[bytes]) -> NewestContents:
    """The table of all parts, in any order.

    Raises:
        PayloadError: a part is cut or of another version.
    """
    read = [NewestContents(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)), *map(_part, parts)]
    streamers = np.concatenate([part.streamer_ids for part in read])
    contents = np.concatenate([part.content_ids for part in read])
    order = np.argsort(streamers, kind="stable")
    return NewestContents(streamers[order], contents[order], np.concatenate([part.kinds for part in read])[order])


def _part(packed: bytes) -> NewestContents:
    version, count = _HEADER.unpack_from(packed) if len(packed) >= _HEADER.size else (0, 0)
    if version != VERSION or len(packed) != _HEADER.size + 17 * count:
        raise PayloadError(f"a part of newest contents of {len(packed)} bytes is cut, or not of version {VERSION}")
    streamers, contents = np.frombuffer(packed, "<i8", 2 * count, _HEADER.size).reshape(2, count)
    kinds = np.frombuffer(packed, np.uint8, count, _HEADER.size + 16 * count)
    return NewestContents(streamers.astype(np.int64), contents.astype(np.int64), kinds)
