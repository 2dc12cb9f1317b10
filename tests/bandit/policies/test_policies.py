"""What holds for every policy."""

from itertools import permutations

import numpy as np
import pytest
from msgspec import structs

from bandit.arms import ArmSet
from bandit.beliefs import Bound
from bandit.outcomes import Outcomes
from bandit.policies.registry import POLICIES, Policy
from bandit.stock import available
from tests.bandit.policies.states import FEATURES, RESERVED, SINGLES, THREE, TIERED, state_of

pytestmark = pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))


EVERY = {"sources": THREE, "contents": SINGLES, "reserved": RESERVED, "tiers": TIERED}


@pytest.mark.parametrize("arm_set", EVERY.values(), ids=list(EVERY))
def test_a_slate_is_drawn_again_exactly_also_from_the_packed_state(policy: Policy, arm_set: ArmSet) -> None:
    state = state_of(policy)
    again = policy.read(state.to_bytes())
    assert again == state
    for seed in (0, 1, 2**63 - 1, *range(2, 20)):
        assert policy.select(state, arm_set, 6, seed) == policy.select(again, arm_set, 6, seed)


@pytest.mark.parametrize("arm_set", [THREE, SINGLES], ids=["sources", "contents"])
def test_a_short_slate_begins_a_long_one(policy: Policy, arm_set: ArmSet) -> None:
    for seed in range(20):
        whole = policy.select(state_of(policy), arm_set, 9, seed)
        assert [policy.select(state_of(policy), arm_set, length, seed) for length in range(9)] == [
            whole[:length] for length in range(9)
        ]


def test_an_arm_gives_no_more_than_it_has(policy: Policy) -> None:
    assert np.bincount(policy.select(state_of(policy), THREE, 100, 1)).tolist() == [3, 2, 4]
    gone = ArmSet(THREE.arms, (3, 0, 4), features=FEATURES)
    assert np.bincount(policy.select(state_of(policy), gone, 100, 1)).tolist() == [3, 0, 4]


@pytest.mark.parametrize(
    ("arm_set", "slots"), [(ArmSet((), ()), 0), (ArmSet(("popular",), (2,), features=FEATURES[:1]), 2)]
)
def test_a_slate_ends_where_the_candidates_end(policy: Policy, arm_set: ArmSet, slots: int) -> None:
    assert policy.select(state_of(policy), arm_set, 5, 1) == [0] * slots


def test_the_last_arm_with_candidates_is_certain(policy: Policy) -> None:
    chances = policy.propensities(state_of(policy), 1_000)
    pair = ArmSet(("popular", "two_tower"), (1, 2), features=FEATURES[:2])
    assert chances(pair, [0, 1, 1])[1:].tolist() == [1.0, 1.0]
    assert chances(structs.replace(pair, counts=(1, 1)), [1, 0])[1] == 1.0


def test_the_chances_of_all_orders_add_up_to_one(policy: Policy) -> None:
    chances = policy.propensities(state_of(policy), 100_000)
    total = sum(float(np.prod(chances(SINGLES, order))) for order in permutations(range(3)))
    assert total == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("arm_set", EVERY.values(), ids=list(EVERY))
def test_propensities_agree_with_the_frequency_of_slates(policy: Policy, arm_set: ArmSet) -> None:
    """Both slots of 20,000 slates, within 4.5 standard errors (and those of 100,000 draws where it takes draws)."""
    state, count = state_of(policy), 20_000
    slates = np.array([policy.select(state, arm_set, 2, seed) for seed in range(count)])
    chances = policy.propensities(state, 100_000)
    for first in range(3):
        for second in range(3):
            may = available(arm_set.stock, [first, second])
            joint = float(np.prod(chances(arm_set, [first, second]))) if may[0, first] and may[1, second] else 0.0
            seen = ((slates[:, 0] == first) & (slates[:, 1] == second)).mean()
            assert seen == pytest.approx(joint, abs=4.5 * np.sqrt(joint * (1 - joint) / count + 1e-5 / 4) + 1e-4)


def test_a_watermark_is_applied_once(policy: Policy) -> None:
    state = state_of(policy)
    outcomes = Outcomes(["popular"], np.array([True]), np.array([9.5]), features=np.array([[1.0, 0.5]]))
    following = policy.update(state, outcomes, 10_000, 3_600.0, Bound(100, 0.1))
    assert (following.epoch, following.applied_through_ms) == (4, 10_000)
    assert policy.update(following, outcomes, 10_000, 3_600.0, Bound(100, 0.1)) is following
