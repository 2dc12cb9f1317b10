"""Linear Thompson sampling (Agrawal and Goyal, ICML 2013): each slot draws weights, and the best arm by them wins.

Features say what arms share, so that an arm nobody has tried borrows from those like it: of a content its two-tower
embedding, or that embedding's product with the user's.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from bandit.linear import LinearEpoch
from bandit.outcomes import Floats
from bandit.slots import Sampler, Slate
from bandit.stock import available, by_scores

POLICY_ID: Final = "linear_thompson/1"
"""Changes when the same seed would give another slate."""

_Scorer = Callable[[int, int], Floats]
"""(M, A) expected outcomes of the arms by M draws of the weights from a seed."""


def select(posterior: LinearEpoch, arm_set: ArmSet, length: int, seed: int) -> Slate:
    """The arm of each slot: `length` of them, or as many as there are candidates."""
    return sampler(posterior, arm_set)(length, seed)


def sampler(posterior: LinearEpoch, arm_set: ArmSet) -> Sampler:
    """`select` of one posterior and arm set."""
    return partial(_slate, arm_set, _scorer(posterior, arm_set))


def _slate(arm_set: ArmSet, score: _Scorer, length: int, seed: int) -> Slate:
    stock = arm_set.stock
    slate: Slate = by_scores(*stock, score(stock.slots(length), seed)).tolist()
    return slate


def propensities(posterior: LinearEpoch, arm_set: ArmSet, slate: Sequence[int], draws: int) -> Floats:
    """(S,) chance of each slot's arm, given the slots above, by Monte Carlo of M draws.

    Unbiased, with standard error sqrt(p (1 - p) / M): at most 0.0016 for 100,000. The epoch seeds the draws: the
    same slate has the same propensities again.
    """
    scores = _scorer(posterior, arm_set)(draws, posterior.epoch)
    known: dict[bytes, Floats] = {}
    chances = np.empty(len(slate))
    for slot, (arm, may) in enumerate(zip(slate, available(arm_set.stock, slate), strict=True)):
        key = may.tobytes()
        if key not in known:
            known[key] = _wins(scores, may)
        chances[slot] = known[key][arm]
    return chances


def _wins(scores: Floats, available: npt.NDArray[np.bool_]) -> Floats:
    best = np.argmax(np.where(available, scores, -np.inf), axis=1)
    return np.bincount(best, minlength=len(available)) / len(best)


def _scorer(posterior: LinearEpoch, arm_set: ArmSet) -> _Scorer:
    mean, root = posterior.weights()
    features = np.array(arm_set.features, np.float64).reshape(-1, len(mean)).T  # (D, A)
    expected, spread = mean @ features, root.T @ features

    def score(draws: int, seed: int) -> Floats:
        noise = np.random.default_rng(seed % 2**64).standard_normal((draws, len(mean)))
        return np.asarray(expected + noise @ spread)

    return score
