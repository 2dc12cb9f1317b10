"""The loops of the request path: look-ups, memberships and groups of some hundred candidates.

A fifth to a half of what array operations take (docs/adr/0009): those cost about a microsecond each whatever
they are given, and `numpy.isin` and `numpy.unique` are a dozen of them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import types

from contracts.compiled import BYTES, DOUBLES, FLAGS, FLOATS, INTS, INTS_32, SHORTS, compiled, inlined, made, written

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Slots = npt.NDArray[np.int32]
_IDS, _SLOTS, _CODES = made(types.int64), made(types.int32), made(types.uint8)
_MAY, _LEFT = written(types.boolean), types.int64
_PAIR = types.UniTuple(types.int64, 2)
_NOTHING: Final = -1
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its multiples spread consecutive ids evenly (Knuth, The Art of Programming 3, 6.4)."""


@inlined
def _slot(number, size):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """Where the search for a number begins, of `size` slots, a power of two."""
    return np.int64(((np.uint64(number) * _GOLDEN) >> np.uint64(32)) & np.uint64(size - 1))


@inlined
def _size(count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Slots for so many numbers: at most half of them are taken."""
    size = 8
    while size < 2 * count:
        size *= 2
    return size


@inlined
def _find(slots, keys, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The slot of a key, or the free one where it belongs."""
    at = _slot(key, len(slots))
    while slots[at] != _NOTHING and keys[slots[at]] != key:
        at = (at + 1) & (len(slots) - 1)
    return at


@compiled(_SLOTS(INTS))
def slots_of(keys: Ids) -> Slots:
    """A table to look keys up by `places`: 8 to 16 bytes a key; of equal keys the first is found."""
    slots = np.full(_size(len(keys)), np.int32(_NOTHING), np.int32)
    for place in range(len(keys)):
        at = _find(slots, keys, keys[place])
        if slots[at] == _NOTHING:
            slots[at] = place
    return slots


@compiled(_IDS(INTS_32, INTS, INTS))
def places(slots: Slots, keys: Ids, ids: Ids) -> Ids:
    """(K,) place of each id among the keys that the slots are of; -1 for what is not there."""
    found = np.empty(len(ids), np.int64)
    for row in range(len(ids)):
        found[row] = slots[_find(slots, keys, ids[row])]
    return found


@inlined
def _first_not_below(keys, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The place of the first of the ascending keys that is not below a key."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(_LEFT(INTS, INTS, _MAY))
def drop_members(ids: Ids, members: Ids, may: Mask) -> int:
    """Clear the rows whose id is a member, ascending; how many rows are left."""
    left = 0
    for row in range(len(ids)):
        if may[row]:
            place = _first_not_below(members, ids[row])
            may[row] = place == len(members) or members[place] != ids[row]
            left += may[row]
    return left


@compiled(_LEFT(INTS, INTS, INTS, _MAY))
def drop_met(ids: Ids, live: Ids, members: Ids, may: Mask) -> int:
    """Clear the rows whose id is a member, but for those of a row of the live table; how many rows are left.

    Args:
        members: In any order: they are met once, and to sort them would take longer.
    """
    slots, following = np.full(_size(len(ids)), np.int32(_NOTHING), np.int32), np.empty(len(ids), np.int32)
    left = 0
    for row in range(len(ids)):
        if may[row]:
            left += 1
            if live[row] < 0:
                at = _find(slots, ids, ids[row])
                following[row] = slots[at]
                slots[at] = row
    for member in members:
        row = slots[_find(slots, ids, member)]
        while row != _NOTHING and may[row]:
            may[row] = False
            left -= 1
            row = following[row]
    return left


@compiled(_LEFT(FLAGS, INTS, INTS, _MAY))
def drop_unseemly(is_public: Mask, ids: Ids, removed: Ids, may: Mask) -> int:
    """Clear the rows that are not public or whose id was removed, ascending; how many rows are left."""
    left = 0
    for row in range(len(ids)):
        if may[row]:
            place = _first_not_below(removed, ids[row])
            may[row] = is_public[row] and (place == len(removed) or removed[place] != ids[row])
            left += may[row]
    return left


@compiled(_LEFT(BYTES, INTS, SHORTS, types.int64, _MAY))
def drop_too_young(
    ages: npt.NDArray[np.uint8], live: Ids, live_ages: npt.NDArray[np.int16], age: int, may: Mask
) -> int:
    """Clear the rows whose least age, or that of their row of the live table, is above this; how many rows are left."""
    left = 0
    for row in range(len(ages)):
        may[row] = may[row] and ages[row] <= age and (live[row] < 0 or live_ages[live[row]] <= age)
        left += may[row]
    return left


@compiled(_LEFT(INTS, types.int64, types.boolean, _MAY))
def drop_after_first(groups: Ids, most: int, spares_negative: bool, may: Mask) -> int:
    """Clear the rows after the first `most` of each group, of those that may stay; how many rows are left.

    Args:
        spares_negative: A negative group has no limit.
    """
    slots, counts = np.full(_size(len(groups)), np.int32(_NOTHING), np.int32), np.zeros(len(groups), np.int32)
    left = 0
    for row in range(len(groups)):
        if may[row]:
            if groups[row] >= 0 or not spares_negative:
                at = _find(slots, groups, groups[row])
                if slots[at] == _NOTHING:
                    slots[at] = row
                counts[slots[at]] += 1
                may[row] = counts[slots[at]] <= most
            left += may[row]
    return left


@compiled(types.Tuple((_CODES, _PAIR))(INTS, INTS, types.int64, _PAIR))
def visits_of(
    streamers: Ids, known: Ids, limit: int, owed: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """(K,) 0 for a return, to a known streamer, and 1 for a discovery; and how many of each a slate must hold.

    Args:
        known: Ascending.
        limit: Slots.
        owed: Of each, where there are so many.

    Returns:
        No row and nothing owed where every slate holds enough.
    """
    visits, returns = np.empty(len(streamers), np.uint8), 0
    for row in range(len(streamers)):
        place = _first_not_below(known, streamers[row])
        is_known = place < len(known) and known[place] == streamers[row]
        visits[row] = not is_known
        returns += is_known
    discoveries = len(streamers) - returns
    least = min(owed[0], returns), min(owed[1], discoveries)
    if (least[0] and discoveries > limit - least[0]) or (least[1] and returns > limit - least[1]):
        return visits, least
    return visits[:0].copy(), (0, 0)


@compiled(_IDS(INTS, DOUBLES, INTS, types.float64))
def unexpired(keys: Ids, ends: npt.NDArray[np.float64], ids: Ids, now: float) -> Ids:
    """(K,) place of each id among the ascending keys; -1 for what is not there or has ended."""
    found = np.empty(len(ids), np.int64)
    for row in range(len(ids)):
        place = _first_not_below(keys, ids[row])
        is_there = place < len(keys) and keys[place] == ids[row] and ends[place] > now
        found[row] = place if is_there else _NOTHING
    return found


@compiled(types.boolean(BYTES, FLOATS))
def is_best_first(levels: npt.NDArray[np.uint8], scores: npt.NDArray[np.float32]) -> bool:
    """Whether rows stand by level and, within one, by falling score; never where a score is no number."""
    for row in range(len(levels)):
        if not np.isfinite(scores[row]):
            return False
        if row and levels[row] < levels[row - 1]:
            return False
        if row and levels[row] == levels[row - 1] and scores[row] > scores[row - 1]:
            return False
    return True


@compiled(types.UniTuple(_IDS, 3)(BYTES))
def grouped(codes: npt.NDArray[np.uint8]) -> tuple[Ids, Ids, Ids]:
    """The distinct codes, ascending, how many rows each has, and the rows, code by code."""
    counts = np.zeros(256, np.int64)
    for code in codes:
        counts[code] += 1
    distinct, sizes, ends, end = np.empty(256, np.int64), np.empty(256, np.int64), np.zeros(256, np.int64), 0
    met = 0
    for code in range(256):
        if counts[code]:
            distinct[met], sizes[met], ends[code] = code, counts[code], end
            met += 1
            end += counts[code]
    rows = np.empty(len(codes), np.int64)
    for row in range(len(codes)):
        rows[ends[codes[row]]] = row
        ends[codes[row]] += 1
    return distinct[:met].copy(), sizes[:met].copy(), rows
