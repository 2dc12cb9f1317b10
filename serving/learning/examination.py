"""Which positions people look at, measured on slates whose client reports what came into view.

Of surface and position, as decayed counts of slates that have a viewport event::

    rate = examined / (shown + m)

with m prior slates that nobody examined: a position of which little is known counts for little, one of which nothing is
known for nothing. Such slates are those that somebody saw, so the rates are of slates that were looked at; a slate that
was never on a screen is weighed too high by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MAX_POSITIONS: Final = 100
"""Positions measured per surface; further ones count for nothing unless they were seen."""


@dataclass(frozen=True)
class Examination:
    """Decayed counts per surface and position.

    Args:
        as_of_ms: When the counts were last decayed.
        shown: Slates that reported what was seen, by surface; index 0 is position 1.
        examined: Of these, slates in which the position was seen, or one below it used.
    """

    as_of_ms: int = 0
    shown: Mapping[str, list[float]] = field(default_factory=dict)
    examined: Mapping[str, list[float]] = field(default_factory=dict)

    def rates(self, surface: str, positions: npt.NDArray[np.int64], prior_slates: float) -> Floats:
        """(N,) examination rates of positions of one surface."""
        if surface not in self.shown:
            return np.zeros(len(positions))
        known = np.array(self.examined[surface]) / (np.array(self.shown[surface]) + prior_slates)
        measured = positions <= len(known)
        return np.where(measured, known[np.where(measured, positions, 1) - 1], 0.0)

    def plus(self, measured: Mapping[str, tuple[Floats, Floats]], at_ms: int, half_life_ms: float) -> "Examination":
        """Decayed to a time, with what was measured up to it: shown and examined counts (P,) by surface."""
        if not measured:
            return self
        aged = 2.0 ** ((self.as_of_ms - at_ms) / half_life_ms)
        shown = {surface: [value * aged for value in values] for surface, values in self.shown.items()}
        examined = {surface: [value * aged for value in values] for surface, values in self.examined.items()}
        for surface, (new_shown, new_examined) in measured.items():
            shown[surface] = _sum(shown.get(surface, []), new_shown)
            examined[surface] = _sum(examined.get(surface, []), new_examined)
        return Examination(at_ms, shown, examined)


def _sum(known: list[float], new: Floats) -> list[float]:
    total = np.zeros(max(len(known), len(new)))
    total[: len(known)] = known
    total[: len(new)] += new
    values: list[float] = total.tolist()
    return values
