"""The bandit orders the things that go with what a request names."""

from dataclasses import dataclass

import numpy as np

from bandit.arms import ArmSet, item_arm, streamer_arm
from bandit.policies.registry import Policy
from bandit.posteriors import PosteriorEpoch
from contracts.errors import PayloadError
from contracts.names import ItemKind, target_context
from contracts.payload import KINDS, SOURCES
from serving.frame import Frame
from serving.query import Query
from serving.stages import Ranking

_STREAMER = KINDS.index(ItemKind.STREAMER)
_NAMES = tuple(map(str, SOURCES))


@dataclass(frozen=True)
class TargetReranker:
    """Arms are the contents or streamers themselves; what is learnt is this target's own.

    An arm that nobody has seen starts from its streamer's and its source's rates, weighed by its place in the published
    list, so that a target without outcomes shows its list nearly as published.

    Args:
        policy: Of those that go by Beta posteriors.
        prior: Of a target that has no posteriors.
        most_arms: The first so many candidates, and at least a slate's, can win a slot.
        least_weight: Of the last candidate; the first has 1.
    """

    policy: Policy
    prior: PosteriorEpoch
    most_arms: int
    least_weight: float

    def rank(self, frame: Frame, query: Query) -> Ranking:
        request = query.request
        count = min(len(frame), max(self.most_arms, request.limit))
        posterior, problem = self._posterior(query)
        arm_set = self._arm_set(frame, count)
        order = np.array(self.policy.select(posterior, arm_set, request.limit, request.seed), np.intp)
        context = target_context(request.context or 0)
        return Ranking(order, self.policy.policy_id, posterior.epoch, arm_set, context, problem)

    def _arm_set(self, frame: Frame, count: int) -> ArmSet:
        columns = frame.candidates
        items, owners = columns.item_ids[:count].tolist(), columns.streamer_ids[:count].tolist()
        kinds, sources = columns.kinds[:count].tolist(), columns.sources[:count].tolist()
        arms, parents = [], []
        for item, owner, kind, source in zip(items, owners, kinds, sources, strict=True):
            is_streamer = kind == _STREAMER
            arms.append(streamer_arm(owner) if is_streamer else item_arm(item))
            parents.append((_NAMES[source],) if is_streamer else (streamer_arm(owner), _NAMES[source]))
        weights = np.linspace(1.0, self.least_weight, count).tolist()
        return ArmSet(tuple(arms), (1,) * count, tuple(parents), weights=tuple(weights))

    def _posterior(self, query: Query) -> tuple[PosteriorEpoch, str]:
        packed = query.user.posterior
        if packed is None:
            return self.prior, ""
        try:
            return PosteriorEpoch.from_bytes(packed), ""
        except PayloadError as error:
            return self.prior, f"what the bandit knows of this target cannot be read: {error}"
