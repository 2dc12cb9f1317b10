"""Writes the packed users of `contracts.packed_user`, many at once."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import types

from contracts.byte_strings import Bytes, ByteStrings
from contracts.compiled import BYTES, INTS, compiled, inlined, made
from contracts.errors import PayloadError
from contracts.names import Segment
from contracts.packed_user import MAX_STREAMERS, SEGMENTS, VERSION
from contracts.payload import Ids

_HEADER_BYTES: Final = 13
"""`packed_user.HEADER.size`, which compiled code cannot ask for."""
_MOST_ID_BYTES: Final = 8


def pack_users(segments: Sequence[str], codes: npt.NDArray[np.int32], streamers: Ids, sizes: Ids) -> ByteStrings:
    """The packed strings of U users; of more than `MAX_STREAMERS` of one the first are kept.

    Args:
        segments: The words of `codes`.
        codes: (U,)
        streamers: All users' streamers, one user after the other.
        sizes: (U,) how many each has.

    Raises:
        PayloadError: a segment without a code.
    """
    segment_codes = np.array([_code_of(segment) for segment in segments], np.uint8)[codes]
    return ByteStrings.ending_at(*_pack(segment_codes, streamers, sizes, VERSION, MAX_STREAMERS))


def _code_of(segment: str) -> int:
    if segment not in SEGMENTS:
        raise PayloadError(f"segment `{segment}` has no code; known are {', '.join(SEGMENTS)}")
    return SEGMENTS.index(Segment(segment))


@inlined
def _put(packed, at, number, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """Write an unsigned number, little endian; the place after it."""
    for byte in range(width):
        packed[at + byte] = np.uint8((number >> np.uint64(8 * byte)) & np.uint64(255))
    return at + width


@inlined
def _width_of(largest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Bytes of the narrowest number that holds it."""
    if largest < np.uint64(2**8):
        return 1
    if largest < np.uint64(2**16):
        return 2
    return 4 if largest < np.uint64(2**32) else 8


@inlined
def _made_distinct(ids):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Put ascending ids once each at the front; how many there are."""
    count = 0
    for row in range(len(ids)):
        if row == 0 or ids[row] != ids[row - 1]:
            ids[count] = ids[row]
            count += 1
    return count


@compiled(types.Tuple((made(types.uint8), made(types.int64)))(BYTES, INTS, INTS, types.int64, types.int64), alone=False)
def _pack(segments: Bytes, streamers: Ids, sizes: Ids, version: int, most: int) -> tuple[Bytes, Ids]:
    """All users one after the other, and where each ends."""
    packed = np.empty(len(sizes) * _HEADER_BYTES + len(streamers) * _MOST_ID_BYTES, np.uint8)
    ends, at, first = np.empty(len(sizes), np.int64), 0, 0
    for user in range(len(sizes)):
        known = np.sort(streamers[first : first + min(sizes[user], most)])
        count, base, width = _made_distinct(known), np.int64(0), 1
        if count > 0:
            # uint64 arithmetic wraps, so the distance is right even where it overflows int64.
            base, width = known[0], _width_of(np.uint64(known[count - 1]) - np.uint64(known[0]))
        packed[at], packed[at + 1], packed[at + 2] = version, segments[user], width
        at = _put(packed, at + 3, np.uint64(count), 2)
        at = _put(packed, at, np.uint64(base), 8)
        for place in range(count):
            at = _put(packed, at, np.uint64(known[place]) - np.uint64(base), width)
        ends[user], first = at, first + sizes[user]
    return packed[:at], ends
