from bandit.arms import ArmSet
from bandit.policies.greedy import propensities, select
from tests.bandit.policies.states import BETAS

# Means: two_tower 5/25, popular 2/32, the others are new: 1/10.
FOUR = ArmSet(("popular", "fresh", "two_tower", "preferred"), (2, 1, 2, 1))


def test_slots_go_to_the_highest_mean_that_is_left() -> None:
    for seed in range(20):
        slate = select(BETAS, FOUR, 6, seed)
        assert (slate[:2], sorted(slate[2:4]), slate[4:]) == ([2, 2], [1, 3], [0, 0])


def test_equal_means_take_turns() -> None:
    assert {select(BETAS, FOUR, 3, seed)[2] for seed in range(20)} == {1, 3}


def test_a_propensity_is_one_or_nothing_but_for_equal_means() -> None:
    assert propensities(BETAS, FOUR, [2, 2, 3, 1, 0, 0]).tolist() == [1, 1, 0.5, 1, 1, 1]
    assert propensities(BETAS, FOUR, [0, 2]).tolist() == [0, 1]
