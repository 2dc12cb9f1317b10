from dataclasses import replace

import numpy as np
import pytest

from bandit.arms import ArmSet
from bandit.beliefs import Exploration, Prior
from bandit.outcomes import Outcomes
from bandit.policies.thompson import propensities, rank, select
from bandit.posteriors import PosteriorEpoch, update
from tests.bandit.policies.states import BETAS, SINGLES, THREE

MILLION = 1_000_000


def frequencies(posterior: PosteriorEpoch, arm_set: ArmSet, available: list[int]) -> np.ndarray:
    a, b = posterior.parameters(arm_set)
    draws = np.random.default_rng(7).beta(a[available], b[available], (MILLION, len(available)))
    found = np.zeros(len(arm_set.arms))
    found[available] = np.bincount(draws.argmax(axis=1), minlength=len(available)) / MILLION
    return found


def test_other_seeds_give_other_slates() -> None:
    assert len({tuple(select(BETAS, THREE, 6, seed)) for seed in range(50)}) > 10
    assert len({tuple(select(BETAS, SINGLES, 3, seed)) for seed in range(50)}) > 3


def test_propensities_agree_with_the_frequency_of_a_million_beta_draws() -> None:
    """Each slot's fresh draws, within 4.5 binomial standard errors and the quadrature's 1e-4."""
    slate = [1, 1, 0, 2]
    for slot, available in enumerate(([0, 1, 2], [0, 1, 2], [0, 2], [0, 2])):
        seen = frequencies(BETAS, THREE, available)[slate[slot]]
        tolerance = 4.5 * np.sqrt(seen * (1 - seen) / MILLION) + 1e-4
        assert propensities(BETAS, THREE, slate)[slot] == pytest.approx(seen, abs=tolerance)


def test_propensities_of_a_ranking_agree_with_a_million_rankings() -> None:
    arms = tuple(f"item:{number}" for number in range(6))
    epoch = PosteriorEpoch(3, Prior(1.0, 9.0), arms, (4, 1, 0, 3, 30, 2), (11, 21, 0, 40, 200, 3))
    singles = ArmSet(arms, (1,) * 6)
    a, b = epoch.parameters(singles)
    order = np.argsort(-np.random.default_rng(7).beta(a, b, (MILLION, 6)), axis=1)
    for slate in ([0, 1, 2, 3, 4, 5], [5, 4, 0, 2, 1, 3], [2, 5, 0]):
        left, found = np.ones(MILLION, bool), propensities(epoch, singles, slate)
        for slot, arm in enumerate(slate):
            count, seen = left.sum(), (order[left, slot] == arm).mean()
            assert found[slot] == pytest.approx(seen, abs=4.5 * np.sqrt(seen * (1 - seen) / count) + 3e-4)
            left &= order[:, slot] == arm


def test_a_slate_does_not_depend_on_the_order_in_which_arms_are_named() -> None:
    turned = ArmSet(("popular", "two_tower", "fresh"), (4, 3, 2))
    for seed in range(20):
        named = [THREE.arms[arm] for arm in select(BETAS, THREE, 9, seed)]
        assert [turned.arms[arm] for arm in select(BETAS, turned, 9, seed)] == named
    chances = propensities(BETAS, THREE, [0, 1]).tolist()
    assert propensities(BETAS, turned, [1, 2]).tolist() == chances


def test_a_caller_may_keep_the_parameters_of_a_ranking() -> None:
    a, b = BETAS.sampled(SINGLES)
    assert [rank(a, b, 3, seed) for seed in range(9)] == [select(BETAS, SINGLES, 3, seed) for seed in range(9)]


def test_a_new_item_of_a_good_streamer_is_tried_before_one_of_a_bad_one() -> None:
    epoch = PosteriorEpoch(3, Prior(1.0, 9.0), ("streamer:1", "streamer:2"), (40.0, 2.0), (60.0, 98.0))
    pair = ArmSet(("item:8", "item:9"), (1, 1), (("streamer:1", "fresh"), ("streamer:2", "fresh")))
    assert propensities(epoch, pair, [0])[0] > 0.9


def test_less_exploration_is_closer_to_the_best_mean() -> None:
    chances = [
        propensities(replace(BETAS, exploration=Exploration(scale=scale)), THREE, [0])[0]
        for scale in (4.0, 1.0, 0.25, 0.01)
    ]
    assert chances == sorted(chances)
    assert chances[-1] > 0.999


def test_the_better_arm_is_found() -> None:
    """True rates 0.05 and 0.30: after 60 batches of 20 slots at least three slots in four go to the better arm."""
    rng = np.random.default_rng(5)
    rates, arm_set = np.array([0.05, 0.30]), ArmSet(("popular", "two_tower"), (20, 20))
    epoch = PosteriorEpoch(0, Prior(1.0, 9.0))
    for batch in range(1, 61):
        slate = select(epoch, arm_set, 20, batch)
        won = rng.random(20) < rates[slate]
        outcomes = Outcomes([arm_set.arms[arm] for arm in slate], won, np.full(20, float(batch)))
        epoch = update(epoch, outcomes, 1_000 * batch, 1e9)
    later = [select(epoch, ArmSet(arm_set.arms, (99, 99)), 20, 1_000 + seed) for seed in range(50)]
    assert np.mean(later) > 0.75
