"""The bandit chooses which source fills each slot."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from bandit.arms import ArmSet
from bandit.policies.registry import Policy
from bandit.posteriors import PosteriorEpoch
from bandit.stock import places
from contracts.names import Source
from contracts.payload import SOURCES, Ids
from serving.frame import Frame
from serving.kernels import grouped
from serving.query import Query
from serving.rerankers.reserved import Reserved
from serving.stages import Ranking


@dataclass(frozen=True)
class SourceReranker:
    """Arms are the sources; the arm that wins a slot gives the best of its candidates that is left and may fill it.

    What stands in for a broadcast comes after all broadcasts.

    Args:
        policy: Of those that go by Beta posteriors.
        prior: Of a context that has no posteriors.
        reserved: What every slate owes; None for nothing.
    """

    policy: Policy
    prior: PosteriorEpoch
    reserved: Reserved | None = None

    def rank(self, frame: Frame, query: Query) -> Ranking:
        request, context = query.request, str(query.segment)
        posterior = query.state.posteriors.get((request.surface, context), self.prior)
        codes, sizes, rows = grouped(frame.candidates.sources)
        arm_set = self._arm_set(frame, query, codes.tolist(), sizes.tolist(), rows)
        slate = self.policy.select(posterior, arm_set, request.limit, request.seed)
        starts = [0, *accumulate(arm_set.counts)]
        taken = zip(slate, places(arm_set, slate), strict=True)
        order = rows[np.array([starts[arm] + place for arm, place in taken], np.intp)]
        return Ranking(order, self.policy.policy_id, posterior.epoch, arm_set, context)

    def _arm_set(self, frame: Frame, query: Query, codes: list[int], counts: list[int], rows: Ids) -> ArmSet:
        names, sizes = tuple([_NAMES[code] for code in codes]), tuple(counts)
        if _STAND_IN in codes and len(codes) > 1:
            # Fewer broadcasts than slots: all are shown, and nothing is left to reserve.
            return ArmSet(names, sizes, tiers=tuple([int(code == _STAND_IN) for code in codes]))
        visits, least = self.reserved.of(frame, rows, query) if self.reserved is not None else ("", ())
        if not visits:
            return ArmSet(names, sizes)
        ends = list(accumulate(counts))
        pieces = [visits[end - count : end] for count, end in zip(counts, ends, strict=True)]
        return ArmSet(names, sizes, visits=tuple(pieces), least=least)


_NAMES = tuple(map(str, SOURCES))
_STAND_IN = SOURCES.index(Source.STAND_IN)
