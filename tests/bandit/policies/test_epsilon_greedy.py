from dataclasses import replace

import pytest

from bandit.beliefs import Exploration
from bandit.policies import greedy
from bandit.policies.epsilon_greedy import propensities, select
from tests.bandit.policies.states import BETAS, THREE


def test_propensities_have_a_closed_form() -> None:
    assert propensities(BETAS, THREE, [0, 1, 1, 2]) == pytest.approx([0.7 + 0.1, 0.1, 0.1, 0.3 / 2])


def test_without_epsilon_it_is_greedy_and_with_one_it_is_uniform() -> None:
    never = replace(BETAS, exploration=Exploration(epsilon=0.0))
    assert select(never, THREE, 9, 4) == greedy.select(BETAS, THREE, 9, 4)
    always = replace(BETAS, exploration=Exploration(epsilon=1.0))
    assert propensities(always, THREE, [2, 1, 0, 1, 0]) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 2])
