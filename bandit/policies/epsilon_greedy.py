"""Greedy, but a share epsilon of the slots goes to any available arm (Sutton and Barto, 2nd ed., 2.2).

With an epsilon of 1 it is the uniform policy.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from bandit.outcomes import Floats
from bandit.policies.greedy import best_means
from bandit.posteriors import PosteriorEpoch
from bandit.slots import Given, Sampler, Slate, SlotPolicy

POLICY_ID: Final = "epsilon_greedy/1"
"""Changes when the same seed would give another slate."""


def select(posterior: PosteriorEpoch, arm_set: ArmSet, length: int, seed: int) -> Slate:
    """The arm of each slot: `length` of them, or as many as there are candidates."""
    return sampler(posterior, arm_set)(length, seed)


def sampler(posterior: PosteriorEpoch, arm_set: ArmSet) -> Sampler:
    """`select` of one posterior and arm set."""
    return _SLOTS.sampler(posterior, arm_set)


def propensities(posterior: PosteriorEpoch, arm_set: ArmSet, slate: Sequence[int]) -> Floats:
    """(S,) chance of each slot's arm, given the slots above: epsilon / n + (1 - epsilon) * greedy; exact."""
    return _SLOTS.propensities(posterior, arm_set, slate)


def _given(posterior: PosteriorEpoch, arm_set: ArmSet) -> Given:
    greedy, epsilon = best_means(posterior, arm_set), posterior.exploration.epsilon

    def given(available: npt.NDArray[np.bool_]) -> Floats:
        return np.asarray(epsilon * available / available.sum() + (1.0 - epsilon) * greedy(available))

    return given


_SLOTS: Final = SlotPolicy(POLICY_ID, _given)
