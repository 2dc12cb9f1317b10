"""The available arm with the highest posterior mean takes every slot; equal means share it by chance."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from bandit.outcomes import Floats
from bandit.posteriors import PosteriorEpoch
from bandit.slots import Given, Sampler, Slate, SlotPolicy

POLICY_ID: Final = "greedy/1"
"""Changes when the same seed would give another slate."""


def select(posterior: PosteriorEpoch, arm_set: ArmSet, length: int, seed: int) -> Slate:
    """The arm of each slot: `length` of them, or as many as there are candidates."""
    return sampler(posterior, arm_set)(length, seed)


def sampler(posterior: PosteriorEpoch, arm_set: ArmSet) -> Sampler:
    """`select` of one posterior and arm set."""
    return _SLOTS.sampler(posterior, arm_set)


def propensities(posterior: PosteriorEpoch, arm_set: ArmSet, slate: Sequence[int]) -> Floats:
    """(S,) chance of each slot's arm, given the slots above: 1 or 0, and 1/n of n equal means; exact."""
    return _SLOTS.propensities(posterior, arm_set, slate)


def best_means(posterior: PosteriorEpoch, arm_set: ArmSet) -> Given:
    """Chances that are 1 for the highest mean, shared where several are equal."""
    a, b = posterior.parameters(arm_set)
    means = a / (a + b)

    def given(available: npt.NDArray[np.bool_]) -> Floats:
        best = available & (means == means[available].max())
        return np.asarray(best / best.sum())

    return given


_SLOTS: Final = SlotPolicy(POLICY_ID, best_means)
