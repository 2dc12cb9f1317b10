"""Judged impressions, as every state learns from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """Judged impressions of one context, N of them.

    Args:
        arms: (N,) the arm that won each impression's slot.
        is_success: (N,)
        times: (N,) event times in unix seconds.
        parents: (N,) each arm's chain of parents as its arm set had it; empty where no arm has any.
        weights: (N,) how much each counts, such as the chance that its position was examined; None is 1 for all.
        features: (N, D) of the arms, for states that learn from them.
    """

    arms: Sequence[str]
    is_success: npt.NDArray[np.bool_]
    times: Floats
    parents: Sequence[tuple[str, ...]] = ()
    weights: Floats | None = None
    features: Floats | None = None

    def counts(self, through_ms: int, half_life_seconds: float) -> Floats:
        """(N,) what each outcome counts at a moment.

        An outcome from after it counts whole: a clock ahead must not blow evidence up.
        """
        age = np.maximum(through_ms / 1_000 - self.times, 0.0)
        return np.asarray(2.0 ** (-age / half_life_seconds) * (1.0 if self.weights is None else self.weights))
