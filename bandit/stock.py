"""What is left of each arm while a slate is filled from the top, and which arms may give the next slot.

Some slots may be reserved: a slate is to hold at least so many returns and so many discoveries. Every slot is free
until only as many are left as are still owed; from then on an arm gives its next candidate of a visit that is owed.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bandit.arms import VISITS, ArmSet


class Stock:
    """The candidates of the arms of one request.

    Args:
        arm_set: Their counts, tiers, visits and what is reserved.
        length: Slots wanted.
        order: The arms that this stock calls 0, 1, ...; None for the arm set's own places.
    """

    __slots__ = ("_counts", "_free", "_next", "_owed", "_tiers", "_visits", "length", "open")

    def __init__(self, arm_set: ArmSet, length: int, order: Sequence[int] | None = None) -> None:
        counts, tiers, visits = arm_set.counts, arm_set.tiers, arm_set.visits
        if order is not None:
            counts = tuple([counts[arm] for arm in order])
            tiers = tuple([tiers[arm] for arm in order]) if tiers else ()
            visits = tuple([visits[arm] for arm in order]) if visits else ()
        self.length = min(length, sum(counts))
        """Slots that there are candidates for."""
        self._counts, self._tiers, self._visits = counts, tiers, visits
        self._next = [0] * len(counts)
        self._owed = dict(zip(VISITS, arm_set.least, strict=False))
        self._free = self.length - sum(arm_set.least)
        self.open = self._mask() if self._free > 0 else self._owed_mask()
        """A bit for each arm that may give the next slot."""

    def take(self, arm: int) -> int:
        """The place, among the arm's candidates, of the one that it gives to the next slot."""
        place = self._next[arm]
        self._next[arm] = place + 1
        if self._owed and place < self._counts[arm]:
            self._settle(self._visits[arm][place])
        if self._free <= 0:
            self.open = self._owed_mask()
        elif place + 1 >= self._counts[arm]:
            self.open = self._mask()
        return place

    def _settle(self, visit: str) -> None:
        """A visit that is owed is owed no longer; any other takes a free slot."""
        if self._owed[visit]:
            self._owed[visit] -= 1
        else:
            self._free -= 1

    def _mask(self) -> int:
        following = self._next
        left = [arm for arm, count in enumerate(self._counts) if following[arm] < count]
        if self._tiers and left:
            tier = min([self._tiers[arm] for arm in left])
            left = [arm for arm in left if self._tiers[arm] == tier]
        return sum([1 << arm for arm in left])

    def _owed_mask(self) -> int:
        """Arms that have something owed, once they have passed over what is not; it never is again."""
        owing = [visit for visit, count in self._owed.items() if count]
        if len(owing) == 1:
            for arm, visits in enumerate(self._visits):
                place = visits.find(owing[0], self._next[arm])
                self._next[arm] = place if place >= 0 else len(visits)
        return self._mask()


def available(arm_set: ArmSet, slate: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(S, A) which arms could have given each slot, given the slots above."""
    stock, masks = Stock(arm_set, len(slate)), []
    for arm in slate:
        masks.append(stock.open)
        stock.take(arm)
    rows = [[mask >> arm & 1 for arm in range(len(arm_set.arms))] for mask in masks]
    return np.array(rows, bool).reshape(len(slate), len(arm_set.arms))


def places(arm_set: ArmSet, slate: Sequence[int]) -> list[int]:
    """Which of its arm's candidates stands at each slot."""
    if arm_set.visits:
        stock = Stock(arm_set, len(slate))
        return [stock.take(arm) for arm in slate]
    following, found = [0] * len(arm_set.arms), []
    for arm in slate:
        found.append(following[arm])
        following[arm] += 1
    return found
