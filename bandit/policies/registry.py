"""All policies by the id that impressions carry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bandit import linear, posteriors
from bandit.arms import ArmSet
from bandit.beliefs import Bound
from bandit.outcomes import Floats, Outcomes
from bandit.policies import epsilon_greedy, greedy, linear_thompson, thompson
from bandit.slots import Sampler, Slate

BETA: Final = "beta"
LINEAR: Final = "linear"

Chances = Callable[[ArmSet, Sequence[int]], Floats]
"""(S,) chance of each slot's arm of a slate, given the slots above."""


@dataclass(frozen=True)
class Policy:
    """Two verbs over a kind of state, and what proves them.

    Args:
        state: Which kind of state it goes by; policies of one kind share it.
        read: The state of a packed string.
        select: The slate of a state, an arm set, a length and a seed.
        sampler: The same with a state and an arm set bound, for callers that meet them again.
        update: The state after outcomes up to a watermark, with a half-life in seconds and a bound.
        propensities: Of slates of a state; draws count where it takes Monte Carlo.
    """

    policy_id: str
    state: str
    read: Callable[[bytes], Any]
    select: Callable[[Any, ArmSet, int, int], Slate]
    sampler: Callable[[Any, ArmSet], Sampler]
    update: Callable[[Any, Outcomes, int, float, Bound], Any]
    propensities: Callable[[Any, int], Chances]


def _of_betas(module: Any) -> Policy:  # noqa: ANN401  a module with the two verbs
    return Policy(
        module.POLICY_ID,
        BETA,
        posteriors.PosteriorEpoch.from_bytes,
        module.select,
        module.sampler,
        posteriors.update,
        lambda state, _draws: partial(module.propensities, state),
    )


_OF_LINEAR: Final = Policy(
    linear_thompson.POLICY_ID,
    LINEAR,
    linear.LinearEpoch.from_bytes,
    linear_thompson.select,
    linear_thompson.sampler,
    lambda state, outcomes, through_ms, half_life, _bound: linear.update(state, outcomes, through_ms, half_life),
    lambda state, draws: partial(linear_thompson.propensities, state, draws=draws),
)

POLICIES: Final[Mapping[str, Policy]] = {
    policy.policy_id: policy for policy in (*map(_of_betas, (thompson, greedy, epsilon_greedy)), _OF_LINEAR)
}


def policy_named(name: str) -> Policy:
    """The policy whose id begins so: settings name no version, as there is one of each."""
    (found,) = [policy for policy in POLICIES.values() if policy.policy_id.partition("/")[0] == name]
    return found
