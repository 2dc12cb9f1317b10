from dataclasses import replace

import numpy as np

from bandit.arms import ArmSet
from bandit.beliefs import Exploration
from bandit.linear import LinearEpoch, LinearPrior, update
from bandit.outcomes import Outcomes
from bandit.policies.linear_thompson import propensities, select

START = LinearEpoch.first(LinearPrior(0.1, 1.0, 0.1), 2, Exploration())


def test_an_arm_nobody_tried_borrows_from_those_like_it() -> None:
    features = np.array([[1.0, 0.1], [0.1, 1.0]] * 200)
    outcomes = Outcomes(["item:1", "item:2"] * 200, np.array([True, False] * 200), np.zeros(400), features=features)
    epoch = update(START, outcomes, 1_000, 1e9)
    new = ArmSet(("item:8", "item:9"), (1, 1), features=((0.9, 0.0), (0.0, 0.9)))
    assert propensities(epoch, new, [0], 10_000)[0] > 0.99


def test_equal_features_have_equal_chances_at_first() -> None:
    pair = ArmSet(("item:1", "item:2"), (1, 1), features=((1.0, 0.0), (0.0, 1.0)))
    assert abs(propensities(START, pair, [0], 100_000)[0] - 0.5) < 0.01


def test_without_exploration_it_takes_the_best_expectation() -> None:
    sure = replace(START, moment=(0.0, 1.0), exploration=Exploration(scale=1e-9))
    pair = ArmSet(("item:1", "item:2"), (1, 1), features=((1.0, 0.0), (0.0, 1.0)))
    assert {tuple(select(sure, pair, 2, seed)) for seed in range(20)} == {(1, 0)}
