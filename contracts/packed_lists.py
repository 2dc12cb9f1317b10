"""Writes the packed lists of payload v1 (`contracts.payload`), many at once."""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import types

from contracts.byte_strings import ByteStrings
from contracts.compiled import BYTES, FLOATS, INTS, compiled, inlined, made
from contracts.errors import PayloadError
from contracts.payload import HEADER, ITEMS_ARE_STREAMERS, MAX_COUNT, VERSION, CandidateColumns, Ids

_Codes = npt.NDArray[np.uint8]
_Scores = npt.NDArray[np.float32]
_HEADER_BYTES: Final = 32
"""`HEADER.size`, which compiled code cannot ask for."""
_MOST_BYTES_A_ROW: Final = 8 + 8 + 2 + 1 + 1
"""Of an item, a streamer of its own, the place of that, a code and a score."""
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def pack(candidates: CandidateColumns) -> bytes:
    """The packed string of one list.

    Raises:
        PayloadError: more candidates than a list can hold, or a score that is no number.
    """
    if len(candidates) == 0:
        return HEADER.pack(VERSION, 1, ITEMS_ARE_STREAMERS, 0, 0, 0, 0, 0, 0.0, 0.0)
    return pack_lists(candidates, [0, len(candidates)]).tolist()[0]


def pack_lists(candidates: CandidateColumns, edges: npt.ArrayLike) -> ByteStrings:
    """The packed strings of many lists that follow each other in the columns, none empty.

    Args:
        candidates: (K,) of all lists, L of them.
        edges: (L + 1,) where each list starts, and the end of the last one.

    Raises:
        PayloadError: as `pack`.
    """
    bounds = np.ascontiguousarray(edges, np.int64)
    if len(bounds) < 2:
        return ByteStrings.of([])
    longest = int((bounds[1:] - bounds[:-1]).max())
    if longest > MAX_COUNT:
        raise PayloadError(f"{longest} candidates in one list; at most {MAX_COUNT} fit")
    if not np.isfinite(candidates.scores).all():
        raise PayloadError("scores must be finite; a scorer let NaN or infinity through")
    codes = candidates.kinds << np.uint8(6) | candidates.sources
    items, streamers = np.ascontiguousarray(candidates.item_ids), np.ascontiguousarray(candidates.streamer_ids)
    scores = np.ascontiguousarray(candidates.scores)
    return ByteStrings.ending_at(*_pack(items, streamers, codes, scores, bounds, VERSION))


@inlined
def _put(packed, at, number, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """Write an unsigned number, little endian; the place after it.

    Stores that follow each other become one of that width, which a loop over the bytes does not.
    """
    packed[at] = np.uint8(number & np.uint64(255))
    if width > 1:
        packed[at + 1] = np.uint8((number >> np.uint64(8)) & np.uint64(255))
    if width > 2:
        packed[at + 2] = np.uint8((number >> np.uint64(16)) & np.uint64(255))
        packed[at + 3] = np.uint8((number >> np.uint64(24)) & np.uint64(255))
    if width > 4:
        packed[at + 4] = np.uint8((number >> np.uint64(32)) & np.uint64(255))
        packed[at + 5] = np.uint8((number >> np.uint64(40)) & np.uint64(255))
        packed[at + 6] = np.uint8((number >> np.uint64(48)) & np.uint64(255))
        packed[at + 7] = np.uint8(number >> np.uint64(56))
    return at + width


@inlined
def _put_ids(packed, at, ids, base, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write the distances of ids to their base; one loop per width, so that none looks at it for every id."""
    # A view and the loop's own counter: with a place that any id could move, every store is checked and none merged.
    into, first = packed[at : at + len(ids) * width], np.uint64(base)
    if width == 1:
        for row in range(len(ids)):
            _put(into, row, np.uint64(ids[row]) - first, 1)
    elif width == 2:
        for row in range(len(ids)):
            _put(into, 2 * row, np.uint64(ids[row]) - first, 2)
    elif width == 4:
        for row in range(len(ids)):
            _put(into, 4 * row, np.uint64(ids[row]) - first, 4)
    else:
        for row in range(len(ids)):
            _put(into, 8 * row, np.uint64(ids[row]) - first, 8)
    return at + len(into)


@inlined
def _put_codes(packed, at, codes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write bytes as they are; an assignment of slices first looks whether they overlap, which takes longer."""
    into = packed[at : at + len(codes)]
    for row in range(len(into)):
        into[row] = codes[row]
    return at + len(into)


@inlined
def _put_scores(packed, at, scores, limits):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write scores in 255 steps between the lowest and the highest, which are written down in `limits`."""
    low, high = scores[0], scores[0]
    for row in range(len(scores)):
        low, high = min(low, scores[row]), max(high, scores[row])
    limits[0], limits[1] = low, high
    # In float64: the difference of two float32 can overflow, and so can the scale of a very narrow range.
    lowest, highest = np.float64(low), np.float64(high)
    scale = 255.0 / (highest - lowest) if highest > lowest else 0.0
    into = packed[at : at + len(scores)]
    for row in range(len(into)):
        into[row] = np.uint8(np.rint((np.float64(scores[row]) - lowest) * scale))
    return at + len(into)


@inlined
def _base_and_width(ids):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The smallest id, and the bytes of the narrowest number that holds each one's distance to it."""
    base, highest = ids[0], ids[0]
    for row in range(len(ids)):  # over the array itself, it is no vector operation
        base, highest = min(base, ids[row]), max(highest, ids[row])
    # uint64 arithmetic wraps, so the distance is right even where it overflows int64.
    largest = np.uint64(highest) - np.uint64(base)
    if largest < np.uint64(2**8):
        return base, 1
    if largest < np.uint64(2**16):
        return base, 2
    return base, 4 if largest < np.uint64(2**32) else 8


@inlined
def _met(ids, slots, distinct_ids, place_of):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write down the distinct ids in the order they are met and the place of each row's; how many there are."""
    mask, distinct = np.uint64(len(slots) - 1), 0
    slots[:] = -1
    for row in range(len(ids)):
        slot = ((np.uint64(ids[row]) * _GOLDEN) >> np.uint64(32)) & mask
        while slots[slot] >= 0 and distinct_ids[slots[slot]] != ids[row]:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot], distinct_ids[distinct] = distinct, ids[row]
            distinct += 1
        place_of[row] = slots[slot]
    return distinct


@inlined
def _slots_for(rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """At most half of them are taken."""
    slots = 8
    while slots < 2 * rows:
        slots *= 2
    return slots


@inlined
def _is_own(items, streamers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Whether the items are the streamers."""
    for row in range(len(items)):  # noqa: SIM110  numba compiles no generator
        if items[row] != streamers[row]:
            return False
    return True


@compiled(
    types.Tuple((made(types.uint8), made(types.int64)))(INTS, INTS, BYTES, FLOATS, INTS, types.int64), alone=False
)
def _pack(items: Ids, streamers: Ids, codes: _Codes, scores: _Scores, edges: Ids, version: int) -> tuple[_Codes, Ids]:
    """All lists one after the other, and where each ends. A list's streamers stand in the order they are met."""
    count, longest = len(edges) - 1, 0
    for place in range(count):
        longest = max(longest, edges[place + 1] - edges[place])
    packed = np.empty(count * _HEADER_BYTES + (edges[count] - edges[0]) * _MOST_BYTES_A_ROW, np.uint8)
    ends, limits, at = np.empty(count, np.int64), np.empty(2, np.float32), 0
    slots, owners = np.empty(_slots_for(longest), np.int32), np.empty(longest, np.int64)
    place_of = np.empty(longest, np.int64)
    for place in range(count):
        start, stop = edges[place], edges[place + 1]
        own_items, rows = items[start:stop], stop - start
        is_own = _is_own(own_items, streamers[start:stop])
        base, width = _base_and_width(own_items)
        owner_base, owner_width, distinct = np.int64(0), 0, 0
        if not is_own:
            owner_base, owner_width = _base_and_width(streamers[start:stop])
            distinct = _met(streamers[start:stop], slots[: _slots_for(rows)], owners, place_of)
        head = at
        packed[at], packed[at + 1], packed[at + 2], packed[at + 3] = version, width, is_own, owner_width
        at = _put(packed, at + 4, np.uint64(rows), 2)
        at = _put(packed, at, np.uint64(distinct), 2)
        at = _put(packed, at, np.uint64(base), 8)
        at = _put(packed, at, np.uint64(owner_base), 8)
        at = _put_ids(packed, at + limits.nbytes, own_items, base, width)
        if not is_own:
            at = _put_ids(packed, at, owners[:distinct], owner_base, owner_width)
            at = _put_ids(packed, at, place_of[:rows], 0, 1 if distinct <= 256 else 2)
        at = _put_codes(packed, at, codes[start:stop])
        at = _put_scores(packed, at, scores[start:stop], limits)
        packed[head + _HEADER_BYTES - limits.nbytes : head + _HEADER_BYTES] = limits.view(np.uint8)
        ends[place] = at
    return packed[:at], ends
