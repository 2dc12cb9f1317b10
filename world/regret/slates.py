"""Slates of many requests at once, by the laws of `bandit.policies`: a week is played in a tenth of a second.

Every policy is scores per slot, of which the best available arm takes it. Letters: N requests, S slots, A arms.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from bandit.arms import ArmSet
from bandit.policies import epsilon_greedy, greedy, linear_thompson, thompson
from world.population import Floats, Ints

UNIFORM: Final = "uniform"
"""No policy of the bandit: any available arm with equal chances, as `epsilon_greedy` with an epsilon of 1."""

_TIE: Final = 1e-9
"""Far below any difference of means that matters: breaks ties by chance."""

Shape = tuple[int, int]


def slates(policy: str, state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Ints:  # noqa: ANN401
    """(N, S) places in the arm set; S is no more than there are candidates.

    Args:
        policy: An id of the registry, or `uniform`.
    """
    scores = _SCORES[policy](state, arm_set, shape, rng)
    rows, left = np.arange(shape[0]), np.tile(arm_set.counts, (shape[0], 1))
    filled = np.empty(shape, np.int64)
    for slot in range(shape[1]):
        filled[:, slot] = np.where(left > 0, scores[:, slot], -np.inf).argmax(axis=1)
        left[rows, filled[:, slot]] -= 1
    return filled


def _thompson(state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Floats:  # noqa: ANN401
    a, b = state.sampled(arm_set)
    if arm_set.is_ranking:
        return np.broadcast_to(rng.beta(a, b, (shape[0], 1, len(a))), (*shape, len(a)))
    return rng.beta(a, b, (*shape, len(a)))


def _greedy(state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Floats:  # noqa: ANN401
    a, b = state.parameters(arm_set)
    return np.asarray(a / (a + b) + _TIE * rng.random((*shape, len(a))))


def _epsilon_greedy(state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Floats:  # noqa: ANN401
    by_chance = rng.random((*shape, 1)) < state.exploration.epsilon
    return np.where(by_chance, _uniform(state, arm_set, shape, rng), _greedy(state, arm_set, shape, rng))


def _linear_thompson(state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Floats:  # noqa: ANN401
    mean, root = state.weights()
    features = np.asarray(arm_set.features)  # (A, D)
    return np.asarray((mean + rng.standard_normal((*shape, len(mean))) @ root.T) @ features.T)


def _uniform(_state: Any, arm_set: ArmSet, shape: Shape, rng: np.random.Generator) -> Floats:  # noqa: ANN401
    return rng.random((*shape, len(arm_set.arms)))


_SCORES: Final[Mapping[str, Callable[[Any, ArmSet, Shape, np.random.Generator], Floats]]] = {
    thompson.POLICY_ID: _thompson,
    greedy.POLICY_ID: _greedy,
    epsilon_greedy.POLICY_ID: _epsilon_greedy,
    linear_thompson.POLICY_ID: _linear_thompson,
    UNIFORM: _uniform,
}
