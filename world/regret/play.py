"""Plays a policy against a problem and counts what it loses to somebody who knows the truth.

Within a step of half an hour a policy serves from one posterior epoch; the outcomes of a step are learnt when its
attribution window has closed. An impression teaches only when it was examined.
"""

from dataclasses import dataclass

import numpy as np

from bandit.arms import ArmSet
from bandit.beliefs import Bound, Exploration, Prior
from bandit.linear import LinearEpoch, LinearPrior
from bandit.outcomes import Outcomes
from bandit.policies import greedy
from bandit.policies.registry import LINEAR, POLICIES, Policy
from bandit.posteriors import PosteriorEpoch
from contracts.settings import BanditSettings
from world.choice import examination
from world.config import ChoiceConfig
from world.population import Bools, Floats, Ints
from world.regret.problem import STEP_SECONDS, Problem
from world.regret.slates import UNIFORM, slates


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


def play(problem: Problem, policy_id: str, settings: BanditSettings, choice: ChoiceConfig, seed: int) -> Played:
    """One run of a policy by its id, or of `uniform`; every policy meets the same requests."""
    policy = POLICIES[greedy.POLICY_ID if policy_id == UNIFORM else policy_id]
    state = first_state(policy, problem, settings)
    looks = examination(choice, np.arange(1, problem.slots + 1))
    asked, seen, won, drawn = (np.random.default_rng([seed, concern]) for concern in range(4))
    delay = round(settings.attribution_minutes * 60 / STEP_SECONDS)
    bound = Bound(settings.max_arms, settings.min_evidence)
    got, best = np.zeros(len(problem.requests)), np.zeros(len(problem.requests))
    waiting: list[Outcomes] = []
    for step, count in enumerate(asked.poisson(problem.requests).tolist()):
        if step > delay:
            through = round(1_000 * STEP_SECONDS * step)
            state = policy.update(state, waiting.pop(0), through, settings.half_life_hours * 3_600, bound)
        rows = np.flatnonzero(problem.shown[step])
        slots = min(problem.slots, problem.candidates * len(rows))
        chosen = np.zeros((count, slots), np.int64)
        if count and slots:
            arm_set = _arm_set(problem, rows, policy)
            chosen = rows[slates(policy_id, state, arm_set, (count, slots), drawn)]
        chances = problem.chances[step, chosen]  # (N, S)
        got[step] = (chances * looks[:slots]).sum()
        best[step] = count * _best(problem, step, rows) @ looks[:slots]
        examined = seen.random(chances.shape) < looks[:slots]
        waiting.append(
            _outcomes(problem, chosen[examined], won.random(chances.shape)[examined] < chances[examined], step)
        )
    return Played(got, best)


def first_state(policy: Policy, problem: Problem, settings: BanditSettings) -> PosteriorEpoch | LinearEpoch:
    """Epoch 0 of the policy's kind of state."""
    exploration = Exploration(settings.exploration_scale, settings.epsilon)
    a, b = settings.prior_successes, settings.prior_failures
    if policy.state == LINEAR:
        prior = LinearPrior(a / (a + b), settings.linear_precision, settings.linear_noise)
        return LinearEpoch.first(prior, problem.features.shape[1], exploration)
    strengths = settings.streamer_strength, settings.source_strength, settings.context_strength
    return PosteriorEpoch(0, Prior(a, b, *strengths), exploration=exploration)


def _arm_set(problem: Problem, rows: Ints, policy: Policy) -> ArmSet:
    arms = rows.tolist()
    return ArmSet(
        tuple(problem.arms[arm] for arm in arms),
        (problem.candidates,) * len(arms),
        tuple(problem.parents[arm] for arm in arms) if problem.parents else (),
        tuple(map(tuple, problem.features[rows])) if policy.state == LINEAR else (),
    )


def _best(problem: Problem, step: int, rows: Ints) -> Floats:
    """(S,) chances of the best slate."""
    ranked = np.repeat(np.sort(problem.chances[step, rows])[::-1], problem.candidates)
    return np.asarray(ranked[: problem.slots])


def _outcomes(problem: Problem, arms: Ints, is_success: Bools, step: int) -> Outcomes:
    chosen = arms.tolist()
    return Outcomes(
        [problem.arms[arm] for arm in chosen],
        is_success,
        np.full(len(chosen), STEP_SECONDS * (step + 0.5)),
        [problem.parents[arm] for arm in chosen] if problem.parents else (),
        features=problem.features[arms],
    )
