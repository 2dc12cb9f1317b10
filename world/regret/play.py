"""Plays a policy against a problem and counts what it loses to somebody who knows the truth.

Within a step of ten minutes a policy serves from one posterior epoch; the outcomes of a step are learnt when its
attribution window has closed. An impression teaches only when it was examined.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bandit.arms import ArmSet
from bandit.beliefs import Bound, Exploration, Prior
from bandit.linear import LinearEpoch, LinearPrior
from bandit.outcomes import Outcomes
from bandit.policies.epsilon_greedy import POLICY_ID as EPSILON_ID
from bandit.policies.registry import LINEAR, POLICIES, Policy
from bandit.policies.thompson import POLICY_ID
from bandit.posteriors import PosteriorEpoch
from contracts.settings import BanditSettings
from world.choice import examination
from world.config import ChoiceConfig
from world.population import Floats, Ints
from world.regret.problem import STEP_SECONDS, Problem

UNIFORM = "uniform"
"""Any candidate with equal chances: `epsilon_greedy` with an epsilon of 1, but for arms that run out."""


@dataclass(frozen=True)
class Played:
    """Expected successes per step, (T,): of the policy, and of the best slate at each moment."""

    got: Floats
    best: Floats

    @property
    def regret(self) -> float:
        """Successes that the policy missed."""
        return float((self.best - self.got).sum())

    @property
    def share(self) -> float:
        """The same as a share of the best."""
        return self.regret / float(self.best.sum())


def play(problem: Problem, name: str, settings: BanditSettings, choice: ChoiceConfig, seed: int) -> Played:
    """One run of a policy by its name, which is its id without the version, or `uniform`."""
    policy = policy_of(name)
    state = first_state(policy, problem, settings, name)
    looks = examination(choice, np.arange(1, problem.slots + 1))
    asked, seen, won = (np.random.default_rng([seed, concern]) for concern in range(3))
    delay = round(settings.attribution_minutes * 60 / STEP_SECONDS)
    bound = Bound(settings.max_arms, settings.min_evidence)
    got, best = np.zeros(len(problem.requests)), np.zeros(len(problem.requests))
    waiting: list[Outcomes] = []
    for step, count in enumerate(asked.poisson(problem.requests).tolist()):
        if step > delay:
            through = round(1_000 * STEP_SECONDS * step)
            state = policy.update(state, waiting.pop(0), through, settings.half_life_hours * 3_600, bound)
        rows = np.flatnonzero(problem.shown[step])
        slates = _serve(policy, state, problem, rows, (count, seed + step))
        chances = problem.chances[step, slates]  # (n, S)
        got[step] = (chances * looks[: slates.shape[1]]).sum()
        best[step] = count * _best(problem, step, rows) @ looks[: slates.shape[1]]
        examined = seen.random(chances.shape) < looks[: slates.shape[1]]
        is_success = won.random(chances.shape)[examined] < chances[examined]
        waiting.append(_outcomes(problem, slates[examined], is_success, step))
    return Played(got, best)


def policy_of(name: str) -> Policy:
    """The policy whose id begins with a name."""
    wanted = "epsilon_greedy" if name == UNIFORM else name
    (found,) = (policy for policy in POLICIES.values() if policy.policy_id.partition("/")[0] == wanted)
    return found


def first_state(policy: Policy, problem: Problem, settings: BanditSettings, name: str) -> Any:  # noqa: ANN401
    """Epoch 0 of the policy's kind of state."""
    exploration = Exploration(settings.exploration_scale, 1.0 if name == UNIFORM else settings.epsilon)
    a, b = settings.prior_successes, settings.prior_failures
    if policy.state == LINEAR:
        prior = LinearPrior(a / (a + b), settings.linear_precision, settings.linear_noise)
        return LinearEpoch.first(prior, problem.features.shape[1], exploration)
    strengths = settings.streamer_strength, settings.source_strength, settings.context_strength
    return PosteriorEpoch(0, Prior(a, b, *strengths), exploration=exploration)


def _serve(policy: Policy, state: Any, problem: Problem, rows: Ints, asked: tuple[int, int]) -> Ints:  # noqa: ANN401
    """(n, S) arms of the slates of a step."""
    count, seed = asked
    slots = min(problem.slots, problem.candidates * len(rows))
    if not count or not slots:
        return np.zeros((count, slots), np.int64)
    arms = rows.tolist()
    arm_set = ArmSet(
        tuple(problem.arms[arm] for arm in arms),
        (problem.candidates,) * len(arms),
        tuple(problem.parents[arm] for arm in arms) if problem.parents else (),
        problem.features[rows] if policy.state == LINEAR else (),  # type: ignore[arg-type]
    )
    if policy.policy_id == POLICY_ID and arm_set.is_ranking:
        # The law of `bandit.policies.thompson.rank`, for all requests of the step at once.
        a, b = state.sampled(arm_set)
        return rows[_ranked(np.random.default_rng(seed).beta(a, b, (count, len(rows))), slots)]
    if policy.policy_id == EPSILON_ID and state.exploration.epsilon == 1.0:
        copies = np.random.default_rng(seed).random((count, len(rows) * problem.candidates))
        return rows[_ranked(copies, slots) // problem.candidates]
    sample = policy.sampler(state, arm_set)
    return rows[np.array([sample(slots, (seed << 20) + number) for number in range(count)])]


def _ranked(draws: Floats, slots: int) -> Ints:
    return np.asarray(np.argsort(-draws, axis=1)[:, :slots], np.int64)


def _best(problem: Problem, step: int, rows: Ints) -> Floats:
    """(S,) chances of the best slate."""
    ranked = np.repeat(np.sort(problem.chances[step, rows])[::-1], problem.candidates)
    return np.asarray(ranked[: problem.slots])


def _outcomes(problem: Problem, arms: Ints, is_success: Floats, step: int) -> Outcomes:
    chosen = arms.tolist()
    return Outcomes(
        [problem.arms[arm] for arm in chosen],
        np.asarray(is_success, bool),
        np.full(len(chosen), STEP_SECONDS * (step + 0.5)),
        [problem.parents[arm] for arm in chosen] if problem.parents else (),
        features=problem.features[arms],
    )
