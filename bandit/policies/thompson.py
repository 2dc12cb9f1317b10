"""Thompson sampling of slates (Thompson, 1933; Chapelle and Li, NeurIPS 2011).

Where some arm has several candidates (sources), every slot goes to the available arm whose fresh Beta draw is highest.
Slots are then independent given which arms are available, so a slot is filled by the chance of each arm to have the
highest draw: the same law, worked out once per epoch by quadrature instead of drawn in every request, and the
propensities come with it.

Where every arm has one candidate (contents, streamers), one draw per arm ranks them all (Komiyama, Honda and Nakagawa,
ICML 2015). Fresh draws would give every slot to the luckiest of the many arms that nobody knows.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from bandit.arms import ArmSet
from bandit.best_arm import Densities
from bandit.outcomes import Floats
from bandit.posteriors import PosteriorEpoch
from bandit.slots import Given, Sampler, Slate, SlotPolicy

POLICY_ID: Final = "thompson/2"
"""Changes when the same seed would give another slate."""


def select(posterior: PosteriorEpoch, arm_set: ArmSet, length: int, seed: int) -> Slate:
    """The arm of each slot: `length` of them, or as many as there are candidates.

    The same epoch, arm set, length and seed give the same slate; a shorter slate is the beginning of a longer one.
    """
    return sampler(posterior, arm_set)(length, seed)


def sampler(posterior: PosteriorEpoch, arm_set: ArmSet) -> Sampler:
    """`select` of one posterior and arm set."""
    if arm_set.is_ranking:
        return partial(rank, *posterior.sampled(arm_set))
    return _SLOTS.sampler(posterior, arm_set)


def rank(a: Floats, b: Floats, length: int, seed: int) -> Slate:
    """The first arms by one draw each, of parameters `PosteriorEpoch.sampled`."""
    draws = np.random.default_rng(seed % 2**64).beta(a, b)
    ranked: Slate = np.argsort(-draws, kind="stable")[:length].tolist()
    return ranked


def propensities(posterior: PosteriorEpoch, arm_set: ArmSet, slate: Sequence[int]) -> Floats:
    """(S,) chance of each slot's arm, given the slots above; by quadrature, right to about 1e-4."""
    if arm_set.is_ranking:
        return Densities.of(*posterior.sampled(arm_set)).ranked(np.array(slate, np.intp))
    return _SLOTS.propensities(posterior, arm_set, slate)


def _given(posterior: PosteriorEpoch, arm_set: ArmSet) -> Given:
    return Densities.of(*posterior.sampled(arm_set)).best


_SLOTS: Final = SlotPolicy(POLICY_ID, _given)
