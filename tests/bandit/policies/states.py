"""States and arm sets that the tests of policies share."""

from typing import Any

from bandit.arms import ArmSet
from bandit.beliefs import Exploration, Prior
from bandit.linear import LinearEpoch, LinearPrior
from bandit.policies.registry import LINEAR, Policy
from bandit.posteriors import PosteriorEpoch

EXPLORATION = Exploration(scale=1.0, epsilon=0.3)
BETAS = PosteriorEpoch(
    3, Prior(1.0, 9.0), ("two_tower", "popular"), (4.0, 1.0), (11.0, 21.0), 9_000, exploration=EXPLORATION
)
WEIGHTS = LinearEpoch(3, LinearPrior(0.1, 2.0, 0.1), (0.4, 0.1), (9.0, 1.0, 5.0), 9_000, EXPLORATION)

FEATURES = ((1.0, 0.2), (1.0, -0.3), (0.5, 1.0))
THREE = ArmSet(("two_tower", "fresh", "popular"), (3, 2, 4), features=FEATURES)
RESERVED = ArmSet(THREE.arms, (2, 2, 2), features=FEATURES, visits=("dd", "dr", "rd"), least=(1, 0))
TIERED = ArmSet(THREE.arms, (1, 1, 2), features=FEATURES, tiers=(0, 1, 0))
SINGLES = ArmSet(("two_tower", "fresh", "popular"), (1, 1, 1), features=FEATURES)


def state_of(policy: Policy) -> Any:  # noqa: ANN401  of the policy's own kind
    return WEIGHTS if policy.state == LINEAR else BETAS
