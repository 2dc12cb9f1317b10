"""Reads what a request reads: packed lists (`contracts.payload`), users (`packed_user`) and marks (`marks`)."""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import types

from contracts import packed_user
from contracts.compiled import BYTES, compiled, inlined, made
from contracts.errors import PayloadError
from contracts.marks import MARK
from contracts.packed_user import SEGMENTS, PackedUser
from contracts.payload import HEADER, ITEMS_ARE_STREAMERS, SOURCES, VERSION, WIDTHS, CandidateColumns, Ids

_Codes = npt.NDArray[np.uint8]
_Columns = tuple[int, Ids, Ids, _Codes, _Codes, npt.NDArray[np.float32]]
_READ: Final = types.Tuple(
    (types.int64, *[made(types.int64)] * 2, *[made(types.uint8)] * 2, made(types.float32)),
)
NO_IDS: Final[Ids] = np.empty(0, np.int64)
_ID_BYTES: Final = 8
_SOUND, _STRAY_STREAMER, _STRAY_SOURCE = range(3)


def unpack(packed: bytes) -> CandidateColumns:
    """The columns of a packed list; scores are exact to 1/255 of the list's range.

    Raises:
        PayloadError: another version, a corrupt header, or fewer or more bytes than the header says.
    """
    if len(packed) < HEADER.size:
        raise PayloadError(f"a list of {len(packed)} bytes is shorter than its header of {HEADER.size}")
    version, width, flags, streamer_width, count, distinct, base, streamer_base, low, high = HEADER.unpack_from(packed)
    if version != VERSION:
        raise PayloadError(f"list of payload version {version}; this reader knows {VERSION}")
    is_own = bool(flags & ITEMS_ARE_STREAMERS)
    if width not in WIDTHS or (not is_own and streamer_width not in WIDTHS):
        raise PayloadError(f"id widths {width} and {streamer_width} are not 1, 2, 4 or 8")
    if is_own:
        distinct = streamer_width = 0
    index_width = 0 if is_own else 1 if distinct <= 256 else 2
    expected = HEADER.size + count * (width + index_width + 2) + distinct * streamer_width
    if len(packed) != expected:
        raise PayloadError(f"list of {len(packed)} bytes where its header says {expected}")
    whole = np.frombuffer(packed, np.uint8)
    fault, items, streamers, kinds, sources, scores = _columns(
        whole,
        (count, distinct, len(SOURCES)),
        (HEADER.size, width, streamer_width, index_width),
        (base, streamer_base),
        (low, high),
    )
    if fault == _STRAY_STREAMER:
        raise PayloadError("a streamer index points past the list's streamers")
    if fault == _STRAY_SOURCE:
        raise PayloadError(f"source code {int(sources.max())} is unknown; this reader knows {len(SOURCES)}")
    return CandidateColumns(items, kinds, streamers, sources, scores)


@inlined
def _number(packed, start, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """An unsigned number of so many bytes, little endian."""
    value = np.uint64(0)
    for place in range(width):
        value |= np.uint64(packed[start + place]) << np.uint64(8 * place)
    return value


@compiled(
    _READ(
        BYTES,
        types.UniTuple(types.int64, 3),
        types.UniTuple(types.int64, 4),
        types.UniTuple(types.int64, 2),
        types.UniTuple(types.float64, 2),
    )
)
def _columns(
    packed: _Codes,
    counts: tuple[int, int, int],
    widths: tuple[int, int, int, int],
    bases: tuple[int, int],
    limits: tuple[float, float],
) -> _Columns:
    """What went wrong, and the columns; without an index the items are the streamers."""
    count, distinct, sources_known = counts
    start, width, streamer_width, index_width = widths
    (base, streamer_base), (low, high) = bases, limits
    items, kinds, sources = np.empty(count, np.int64), np.empty(count, np.uint8), np.empty(count, np.uint8)
    streamers, scores = np.empty(count, np.int64), np.empty(count, np.float32)
    owners = start + count * width
    index = owners + distinct * streamer_width
    codes = index + count * index_width
    step = (high - low) / 255
    for row in range(count):
        # int64 arithmetic wraps, so that every int64 comes back.
        items[row] = np.int64(_number(packed, start + row * width, width)) + base
        if index_width == 0:
            streamers[row] = items[row]
        else:
            place = np.int64(_number(packed, index + row * index_width, index_width))
            if place >= distinct:
                return _STRAY_STREAMER, items, streamers, kinds, sources, scores
            offset = _number(packed, owners + place * streamer_width, streamer_width)
            streamers[row] = np.int64(offset) + streamer_base
        kinds[row] = packed[codes + row] >> 6
        sources[row] = packed[codes + row] & 63
        if sources[row] >= sources_known:
            return _STRAY_SOURCE, items, streamers, kinds, sources[: row + 1], scores
        scores[row] = packed[codes + count + row] * step + low
    return _SOUND, items, streamers, kinds, sources, scores


def unpack_user(packed: bytes) -> PackedUser:
    """The user.

    Raises:
        PayloadError: another version, a corrupt header, or fewer or more bytes than the header says.
    """
    header = packed_user.HEADER
    if len(packed) < header.size:
        raise PayloadError(f"a user of {len(packed)} bytes is shorter than its header of {header.size}")
    version, code, width, count, base = header.unpack_from(packed)
    if version != packed_user.VERSION:
        raise PayloadError(f"user of version {version}; this reader knows {packed_user.VERSION}")
    if code >= len(SEGMENTS) or width not in WIDTHS or len(packed) != header.size + width * count:
        raise PayloadError(f"a user of {len(packed)} bytes where its header says {width} x {count}, segment {code}")
    return PackedUser(SEGMENTS[code], _numbers(np.frombuffer(packed, np.uint8), header.size, (width, width), base))


def marked_ids(packed: bytes | None) -> Ids:
    """(N,) ids of the marks, as stored.

    Raises:
        PayloadError: not a whole number of marks.
    """
    if not packed:
        return NO_IDS
    if len(packed) % MARK.itemsize:
        raise PayloadError(f"{len(packed)} bytes of marks are not a multiple of {MARK.itemsize}")
    return _numbers(np.frombuffer(packed, np.uint8), 0, (_ID_BYTES, MARK.itemsize), 0)


@compiled(made(types.int64)(BYTES, types.int64, types.UniTuple(types.int64, 2), types.int64))
def _numbers(packed: _Codes, start: int, layout: tuple[int, int], base: int) -> Ids:
    """Numbers of so many bytes, that many bytes apart, plus the base."""
    width, step = layout
    found = np.empty((len(packed) - start) // step, np.int64)
    for place in range(len(found)):
        found[place] = np.int64(_number(packed, start + place * step, width)) + base
    return found
