"""What a batch says of one user, as one packed string: the segment, and the streamers the user knows.

Little endian::

    u8 version (1)   u8 segment   u8 bytes of an offset (1, 2, 4 or 8)   u16 count S   i64 base
    S x streamer id - base
"""

import operator
import struct
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.errors import PayloadError
from contracts.names import Segment
from contracts.packing import Lists, Offsets, Places, cut, distinct, pieces
from contracts.payload import Ids

VERSION: Final = 1
SEGMENTS: Final = tuple(Segment)
MAX_STREAMERS: Final = 256
"""More than a user comes back to; the latest are kept."""
HEADER: Final = struct.Struct("<BBBHq")
_HEAD: Final = np.dtype([("version", "<u1"), ("segment", "<u1"), ("width", "<u1"), ("count", "<u2"), ("base", "<i8")])
_WIDTHS: Final = (1, 2, 4, 8)


class PackedUser(msgspec.Struct, frozen=True):
    """A user of a batch.

    Args:
        streamers: (S,) ids, ascending: whom the user prefers or watched with value in the window. A visit to one of
            them is a return, to any other a discovery.
    """

    segment: Segment
    streamers: Ids


def pack_user(segment: str, streamers: list[int]) -> bytes:
    """The packed string; of more than `MAX_STREAMERS` the first are kept.

    Raises:
        PayloadError: a segment without a code.
    """
    code = _code_of(segment)
    ids = np.unique(np.array(streamers[:MAX_STREAMERS], np.int64))
    base = int(ids[0]) if len(ids) else 0
    offsets = ids.view(np.uint64) - np.uint64(base % 2**64)
    largest = int(offsets.max()) if len(ids) else 0
    width = next(width for width in _WIDTHS if largest < 256**width)
    return HEADER.pack(VERSION, code, width, len(ids), base) + offsets.astype(f"<u{width}").tobytes()


def pack_users(segments: Sequence[str], codes: npt.NDArray[np.int32], streamers: Ids, sizes: Places) -> list[bytes]:
    """`pack_user` of U users at once.

    Args:
        segments: The words of `codes`.
        codes: (U,)
        streamers: All users' streamers, one user after the other.
        sizes: (U,) how many each has.

    Raises:
        PayloadError: a segment without a code.
    """
    heads = np.zeros(len(codes), _HEAD)
    heads["version"], heads["width"] = VERSION, _WIDTHS[0]
    heads["segment"] = np.array([_code_of(segment) for segment in segments], np.uint8)[codes]
    owned = [b""] * len(codes)
    has_some = sizes > 0
    if has_some.any():
        offsets, (ranked, _, edges) = _ranked(streamers, sizes[has_some])
        heads["width"][has_some], heads["base"][has_some] = offsets.widths, offsets.bases
        heads["count"][has_some] = np.diff(edges)
        for user, piece in zip(np.flatnonzero(has_some).tolist(), pieces(ranked, offsets.widths, edges), strict=True):
            owned[user] = piece
    return list(map(operator.add, cut(heads, np.arange(len(heads) + 1)), owned)) if len(heads) else []


def _ranked(streamers: Ids, sizes: Places) -> tuple[Offsets, tuple[npt.NDArray[np.uint64], object, Places]]:
    """Each user's first streamers as offsets, and these once each in order."""
    place = np.arange(len(streamers)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = np.minimum(sizes, MAX_STREAMERS)
    lists = Lists.between(np.concatenate([[0], np.cumsum(kept)]))
    offsets = Offsets.of(streamers[place < MAX_STREAMERS], lists)
    return offsets, distinct(offsets.values, lists)


def _code_of(segment: str) -> int:
    if segment not in SEGMENTS:
        raise PayloadError(f"segment `{segment}` has no code; known are {', '.join(SEGMENTS)}")
    return SEGMENTS.index(Segment(segment))
