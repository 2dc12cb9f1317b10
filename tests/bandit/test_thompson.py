from datetime import UTC, datetime

import numpy as np
import pytest

from bandit.arms import ArmSet
from bandit.posteriors import Outcomes, PosteriorEpoch, Prior, update
from bandit.thompson import Propensities, select

EPOCH = PosteriorEpoch(3, Prior(1.0, 9.0), ("x", "y"), (4.0, 1.0), (11.0, 21.0))
THREE = ArmSet(("x", "new", "y"), (3, 2, 4))


def test_a_slate_is_drawn_again_exactly() -> None:
    for seed in range(20):
        assert select(EPOCH, THREE, 6, seed).tolist() == select(EPOCH, THREE, 6, seed).tolist()


def test_other_seeds_give_other_slates() -> None:
    assert len({tuple(select(EPOCH, THREE, 6, seed).tolist()) for seed in range(50)}) > 10


def test_a_short_slate_begins_a_long_one() -> None:
    assert select(EPOCH, THREE, 4, 7).tolist() == select(EPOCH, THREE, 9, 7)[:4].tolist()


def test_an_arm_gives_no_more_than_it_has() -> None:
    slate = select(EPOCH, THREE, 100, 1)
    assert np.bincount(slate).tolist() == [3, 2, 4]


@pytest.mark.parametrize(("arm_set", "length", "slots"), [(ArmSet((), ()), 5, 0), (ArmSet(("x",), (2,)), 5, 2)])
def test_a_slate_ends_where_the_candidates_end(arm_set: ArmSet, length: int, slots: int) -> None:
    assert len(select(EPOCH, arm_set, length, 1)) == slots


def test_availability_follows_the_slots_above() -> None:
    available = THREE.availability(np.array([1, 1, 0, 2], np.intp))
    assert available.tolist() == [[True, True, True], [True, True, True], [True, False, True], [True, False, True]]


def test_propensities_agree_with_the_frequency_of_many_slates() -> None:
    """40,000 slates against 100,000 draws: 4.5 standard errors of both is 0.013."""
    arm_set = ArmSet(("x", "new", "y"), (1, 9, 9))
    slates = np.array([select(EPOCH, arm_set, 2, seed) for seed in range(40_000)])
    chances = Propensities(EPOCH, arm_set.arms, 100_000)
    for arm in range(3):
        assert chances.of(arm_set, np.array([arm], np.intp))[0] == pytest.approx(
            (slates[:, 0] == arm).mean(), abs=0.013
        )
    below = slates[slates[:, 0] == 0, 1]
    assert chances.of(arm_set, np.array([0, 2], np.intp))[1] == pytest.approx((below == 2).mean(), abs=0.02)


def test_the_propensities_of_the_available_arms_add_up_to_one() -> None:
    chances = Propensities(EPOCH, THREE.arms, 10_000)
    assert sum(chances.of(THREE, np.array([arm], np.intp))[0] for arm in range(3)) == pytest.approx(1.0)


def test_the_last_arm_with_candidates_is_certain() -> None:
    chances = Propensities(EPOCH, ("x", "y"), 1_000).of(ArmSet(("y", "x"), (1, 2)), np.array([0, 1, 1], np.intp))
    assert chances[1:].tolist() == [1.0, 1.0]


def test_propensities_do_not_depend_on_the_order_in_which_arms_are_named() -> None:
    chances = Propensities(EPOCH, ("y", "x"), 5_000)
    first = chances.of(ArmSet(("x", "y"), (2, 2)), np.array([0, 1], np.intp))
    assert first.tolist() == chances.of(ArmSet(("y", "x"), (2, 2)), np.array([1, 0], np.intp)).tolist()


def test_the_better_arm_is_found() -> None:
    """True rates 0.05 and 0.30: after 60 batches of 20 slots at least three slots in four go to the better arm."""
    rng = np.random.default_rng(5)
    rates, arm_set = np.array([0.05, 0.30]), ArmSet(("bad", "good"), (20, 20))
    epoch, now = PosteriorEpoch(0, Prior(1.0, 9.0)), datetime(2026, 1, 30, tzinfo=UTC)
    for batch in range(60):
        slate = select(epoch, arm_set, 20, batch)
        won = rng.random(20) < rates[slate]
        outcomes = Outcomes([arm_set.arms[arm] for arm in slate], won, np.full(20, now.timestamp()))
        epoch = update(epoch, outcomes, 1_000 * (int(now.timestamp()) + batch), 1e9)
    assert (
        np.mean([select(epoch, ArmSet(arm_set.arms, (99, 99)), 20, 1_000 + seed).mean() for seed in range(50)]) > 0.75
    )
