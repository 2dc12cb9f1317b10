"""What is left of each arm while a slate is filled from the top, and which arms may give the next slot.

Some slots may be reserved: a slate is to hold at least so many returns and so many discoveries. Every slot is free
until only as many are left as are still owed; from then on an arm gives its next candidate of a visit that is owed, and
passes over the others for good.

Letters: A arms, C candidates of all arms, S slots, V kinds of visits.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from bandit.outcomes import Floats
from contracts.compiled import BYTES, INTS, WORDS, compiled, inlined, made

Ints = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
_STOCK: Final = (INTS, INTS, BYTES, INTS)
_ARMS: Final = made(types.int64)


class Stock(NamedTuple):
    """The candidates of the arms of one request.

    Args:
        counts: (A,) candidates.
        tiers: (A,) an arm gives nothing while one of a lower tier has something.
        visits: (C,) place in `bandit.arms.VISITS` of each candidate, arm by arm; empty where no slot is reserved.
        least: (V,) of each visit that a slate must hold.
    """

    counts: Ints
    tiers: Ints
    visits: npt.NDArray[np.uint8]
    least: Ints

    def slots(self, length: int) -> int:
        """Of so many, those that there are candidates for."""
        return min(length, sum(self.counts.tolist()))


def available(stock: Stock, slate: Sequence[int]) -> Flags:
    """(S, A) which arms could have given each slot, given the slots above."""
    return _walk(*stock, np.array(slate, np.int64), len(slate))[1][:-1]


def following(stock: Stock, slate: Sequence[int], length: int) -> Flags:
    """(A,) which arms may give the slot after those of the slate, of `length` slots in all."""
    return np.asarray(_walk(*stock, np.array(slate, np.int64), length)[1][-1])


def taken(stock: Stock, slate: Sequence[int]) -> Ints:
    """(S,) which candidate stands at each slot: its place among those of all arms, arm by arm."""
    found: Ints = _walk(*stock, np.array(slate, np.int64), len(slate))[0]
    return found


@inlined
def _open(stock, owed, given, free, may):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  numba infers them
    """Write down which arms may give the next slot."""
    counts, tiers, visits = stock
    if len(visits) and free <= 0:
        first = 0
        for arm in range(len(counts)):
            while given[arm] < counts[arm] and owed[visits[first + given[arm]]] == 0:
                given[arm] += 1
            first += counts[arm]
    lowest = np.iinfo(np.int64).max
    for arm in range(len(counts)):
        if given[arm] < counts[arm]:
            lowest = min(lowest, tiers[arm])
    for arm in range(len(counts)):
        may[arm] = given[arm] < counts[arm] and tiers[arm] == lowest


@inlined
def _take(arm, stock, owed, given, free):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Let an arm give its next candidate; the free slots that are left."""
    counts, _, visits = stock
    if len(visits) and given[arm] < counts[arm]:
        first = 0
        for before in range(arm):
            first += counts[before]
        visit = visits[first + given[arm]]
        if owed[visit]:
            owed[visit] -= 1
        else:
            free -= 1
    given[arm] += 1
    return free


@compiled(types.Tuple((_ARMS, types.Array(types.boolean, 2, "C")))(*_STOCK, INTS, types.int64))
def _walk(
    counts: Ints, tiers: Ints, visits: npt.NDArray[np.uint8], least: Ints, slate: Ints, length: int
) -> tuple[Ints, Flags]:
    """(S,) candidates that a slate took, and (S + 1, A) which arms might give each slot and the one after them."""
    owed, given, free = least.copy(), np.zeros(len(counts), np.int64), length - least.sum()
    found, may = np.empty(len(slate), np.int64), np.empty((len(slate) + 1, len(counts)), np.bool_)
    for slot in range(len(slate)):
        _open((counts, tiers, visits), owed, given, free, may[slot])
        arm = slate[slot]
        found[slot] = counts[:arm].sum() + given[arm]
        free = _take(arm, (counts, tiers, visits), owed, given, free)
    _open((counts, tiers, visits), owed, given, free, may[len(slate)])
    return found, may


@compiled(_ARMS(*_STOCK, types.Array(types.float64, 2, "C", readonly=True)))
def by_scores(counts: Ints, tiers: Ints, visits: npt.NDArray[np.uint8], least: Ints, scores: Floats) -> Ints:
    """(S,) the arm of each slot: of those that may, the one with the highest of the slot's scores (S, A)."""
    owed, given, free = least.copy(), np.zeros(len(counts), np.int64), len(scores) - least.sum()
    slate, may = np.empty(len(scores), np.int64), np.empty(len(counts), np.bool_)
    for slot in range(len(scores)):
        _open((counts, tiers, visits), owed, given, free, may)
        best = -1
        for arm in range(len(counts)):
            if may[arm] and (best < 0 or scores[slot, arm] > scores[slot, best]):
                best = arm
        slate[slot] = best
        free = _take(best, (counts, tiers, visits), owed, given, free)
    return slate


@compiled(types.Tuple((types.int64, _ARMS))(*_STOCK, INTS, types.Array(types.int64, 2, "C", readonly=True), WORDS))
def by_table(  # noqa: PLR0913, PLR0917  numba wants arrays one by one
    counts: Ints, tiers: Ints, visits: npt.NDArray[np.uint8], least: Ints, order: Ints, table: Table, words: Words
) -> tuple[int, Ints]:
    """(S,) the arm of each slot: the first whose limit is above the slot's random word, or where the table ends.

    Args:
        order: (A,) the arms as the table has them.
        table: (2^A, A) rising limits by the bits of the arms that may; a negative row has not been worked out.

    Returns:
        The bits of a row that is missing, or -1; and the slate, where none is.
    """
    owed, given, free = least.copy(), np.zeros(len(counts), np.int64), len(words) - least.sum()
    slate, may = np.empty(len(words), np.int64), np.empty(len(counts), np.bool_)
    for slot in range(len(words)):
        _open((counts, tiers, visits), owed, given, free, may)
        mask = np.int64(0)
        for place in range(len(order)):
            mask |= np.int64(may[order[place]]) << place
        if table[mask, 0] < 0:
            return int(mask), slate
        chosen = 0
        while table[mask, chosen] <= words[slot]:
            chosen += 1
        slate[slot] = order[chosen]
        free = _take(order[chosen], (counts, tiers, visits), owed, given, free)
    return -1, slate
