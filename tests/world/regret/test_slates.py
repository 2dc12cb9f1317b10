import numpy as np
import pytest
from msgspec import structs

from bandit.arms import ArmSet
from bandit.policies.registry import POLICIES, Policy
from tests.bandit.policies.states import BETAS, SINGLES, THREE, state_of
from world.regret.slates import UNIFORM, slates

COUNT = 60_000


@pytest.mark.parametrize("arm_set", [THREE, SINGLES], ids=["sources", "contents"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_many_slates_at_once_follow_the_law_of_the_policy(policy: Policy, arm_set: ArmSet) -> None:
    """Both slots, within 4.5 standard errors of 60,000 slates and of 100,000 draws where there are any."""
    state = state_of(policy)
    drawn = slates(policy.policy_id, state, arm_set, (COUNT, 2), np.random.default_rng(3))
    chances = policy.propensities(state, 100_000)
    for first in range(3):
        for second in range(3):
            if arm_set.counts[first] == 1 and first == second:
                continue
            joint = float(np.prod(chances(arm_set, [first, second])))
            seen = ((drawn[:, 0] == first) & (drawn[:, 1] == second)).mean()
            assert seen == pytest.approx(joint, abs=4.5 * np.sqrt(joint * (1 - joint) / COUNT + 1e-5 / 4) + 1e-4)


def test_uniform_takes_any_arm_that_is_left() -> None:
    drawn = slates(UNIFORM, BETAS, structs.replace(THREE, counts=(1, 9, 9)), (COUNT, 2), np.random.default_rng(3))
    assert np.bincount(drawn[:, 0]) / COUNT == pytest.approx(np.full(3, 1 / 3), abs=0.01)
    after_first = drawn[drawn[:, 0] == 0, 1]
    assert np.bincount(after_first, minlength=3) / len(after_first) == pytest.approx([0, 0.5, 0.5], abs=0.02)
