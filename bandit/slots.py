"""Slates whose slots are independent given which arms still have candidates: a table of chances fills them.

The random numbers of a slate are the 32-bit words of SHAKE-128 over its seed: any language can draw them again, and a
longer slate goes on where a shorter one ends. 20 of them take 1.5 microseconds; seeding one of numpy's generators takes
8 to 13.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from bandit.outcomes import Floats
from bandit.posteriors import PosteriorEpoch
from bandit.stock import Ints, Stock, available, by_table, following

_WORDS: Final = 2**32
_TABLE_ARMS: Final = 8
"""Up to here all sets of arms fit a table, of 16 kB at most; sources are six or so."""

Slate = list[int]
"""The arm of each slot, as its place in the arm set."""

Sampler = Callable[[int, int], Slate]
"""The slate of a length and a seed: a policy with its posterior and arm set bound, for callers that meet them again."""

Given = Callable[[npt.NDArray[np.bool_]], Floats]
"""Chances (A,) of the arms, given which are available (A,)."""


class SlotTable:
    """Chances of A arms for each set of available ones, worked out when first met.

    Args:
        given: Chances of the arms, 0 of those not available.
        size: A.
    """

    def __init__(self, given: Given, size: int) -> None:
        self._given, self._size = given, size
        self._known: dict[int, tuple[Floats, list[int]]] = {}
        self._table = np.full((1 << size, size), -1, np.int64) if size <= _TABLE_ARMS else None

    def fill(self, stock: Stock, order: Ints, length: int, seed: int) -> Slate:
        """The arm of each slot, `length` of them or as many as there are candidates.

        Args:
            order: (A,) which of the stock's arms the table's are.
        """
        numbers = words(seed, stock.slots(length))
        if self._table is None or not len(numbers):
            return self._fill(stock, order, numbers.tolist())
        while True:
            missing, slate = by_table(*stock, order, self._table, numbers)
            if missing < 0:
                found: Slate = slate.tolist()
                return found
            self._table[missing] = self._at(missing)[1]

    def _fill(self, stock: Stock, order: Ints, numbers: Sequence[int]) -> Slate:
        """The same where arms are too many for a table of all their sets."""
        slate = Slate()
        for number in numbers:
            limits = self._at(_mask(following(stock, slate, len(numbers))[order]))[1]
            slate.append(int(order[bisect_right(limits, number)]))
        return slate

    def propensities(self, available: npt.NDArray[np.bool_], slate: Sequence[int]) -> Floats:
        """(S,) chance of each slot's arm, given which arms were available (S, A)."""
        chances = [self._at(_mask(row))[0][arm] for row, arm in zip(available, slate, strict=True)]
        return np.array(chances, np.float64)

    def _at(self, mask: int) -> tuple[Floats, list[int]]:
        """Chances of the arms of a bit mask, and the words between them; arms without a chance take no room."""
        if mask not in self._known:
            available = np.array([mask >> arm & 1 for arm in range(self._size)], bool)
            chances = self._given(available) if mask else np.zeros(self._size)
            limits = [round(limit * _WORDS) for limit in accumulate(chances.tolist())]
            last = int(np.flatnonzero(chances)[-1]) if mask else 0
            self._known[mask] = chances, [*limits[:last], *[_WORDS] * (self._size - last)]
        return self._known[mask]


def _mask(may: npt.NDArray[np.bool_]) -> int:
    """A bit for each arm."""
    return sum([1 << arm for arm in np.flatnonzero(may).tolist()])


@dataclass(frozen=True)
class SlotPolicy:
    """Fills slots by chances that depend on a posterior and on which arms are available.

    Args:
        given: Makes the chances of an arm set out of a posterior.
    """

    policy_id: str
    given: Callable[[PosteriorEpoch, ArmSet], Given]

    def sampler(self, posterior: PosteriorEpoch, arm_set: ArmSet) -> Sampler:
        """What gives the arm of each slot."""
        order, table = self._table(posterior, arm_set)
        return partial(table.fill, arm_set.stock, order)

    def propensities(self, posterior: PosteriorEpoch, arm_set: ArmSet, slate: Sequence[int]) -> Floats:
        """(S,) chance of each slot's arm, given the slots above."""
        order, table = self._table(posterior, arm_set)
        places = np.argsort(order)[np.array(slate, np.intp)]
        return table.propensities(available(arm_set.stock, slate)[:, order], places.tolist())

    def _table(self, posterior: PosteriorEpoch, arm_set: ArmSet) -> tuple[Ints, SlotTable]:
        """The arms by name, and their table: lists that name the same arms in another order share it."""
        if arm_set.is_ranking:
            # Sets of contents hardly ever come again.
            return np.arange(len(arm_set.arms)), self._new(posterior, arm_set)

        def ordered() -> tuple[Ints, SlotTable]:
            order = sorted(range(len(arm_set.arms)), key=arm_set.arms.__getitem__)
            named = ArmSet(tuple(arm_set.arms[arm] for arm in order), (), tuple(map(arm_set.chain, order)))
            table = posterior.remember((self.policy_id, named), lambda: self._new(posterior, named))
            return np.array(order, np.int64), table

        return posterior.remember((self.policy_id, arm_set.arms, arm_set.parents), ordered)

    def _new(self, posterior: PosteriorEpoch, arm_set: ArmSet) -> SlotTable:
        return SlotTable(self.given(posterior, arm_set), len(arm_set.arms))


def words(seed: int, count: int) -> npt.NDArray[np.uint32]:
    """(count,) even random numbers."""
    digest = hashlib.shake_128(seed.to_bytes(8, "little", signed=True)).digest(4 * count)
    return np.frombuffer(digest, "<u4")
