"""Linear Thompson sampling (Agrawal and Goyal, ICML 2013): each slot draws weights, and the best arm by them wins.

Features say what arms share, so that an arm nobody has tried borrows from those like it: of a content its two-tower
embedding, or that embedding's product with the user's.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from bandit.linear import LinearEpoch
from bandit.outcomes import Floats
from bandit.slots import Slate

POLICY_ID: Final = "linear_thompson/1"
"""Changes when the same seed would give another slate."""


def select(posterior: LinearEpoch, arm_set: ArmSet, length: int, seed: int) -> Slate:
    """The arm of each slot: `length` of them, or as many as there are candidates."""
    left, slate = np.array(arm_set.counts, np.intp), Slate()
    for scores in _scores(posterior, arm_set, min(length, int(left.sum())), seed):
        arm = int(np.argmax(np.where(left > 0, scores, -np.inf)))
        slate.append(arm)
        left[arm] -= 1
    return slate


def propensities(posterior: LinearEpoch, arm_set: ArmSet, slate: Sequence[int], draws: int) -> Floats:
    """(S,) chance of each slot's arm, given the slots above, by Monte Carlo of D draws.

    Unbiased, with standard error sqrt(p (1 - p) / D): at most 0.0016 for 100,000. The epoch seeds the draws: the
    same slate has the same propensities again.
    """
    scores = _scores(posterior, arm_set, draws, posterior.epoch)
    known: dict[bytes, Floats] = {}
    chances = np.empty(len(slate))
    for slot, (arm, available) in enumerate(zip(slate, arm_set.availability(slate), strict=True)):
        key = available.tobytes()
        if key not in known:
            known[key] = _wins(scores, available)
        chances[slot] = known[key][arm]
    return chances


def _wins(scores: Floats, available: npt.NDArray[np.bool_]) -> Floats:
    best = np.argmax(np.where(available, scores, -np.inf), axis=1)
    return np.bincount(best, minlength=len(available)) / len(best)


def _scores(posterior: LinearEpoch, arm_set: ArmSet, draws: int, seed: int) -> Floats:
    """(D, A) expected outcomes of the arms by D draws of the weights."""
    mean, root = posterior.weights()
    weights = mean + np.random.default_rng(seed % 2**64).standard_normal((draws, len(mean))) @ root.T
    return np.asarray(weights @ np.array(arm_set.features, np.float64).reshape(-1, len(mean)).T)
