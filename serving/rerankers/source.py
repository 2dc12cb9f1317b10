"""The bandit chooses which source fills each slot."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from bandit.arms import ArmSet
from bandit.policies.thompson import POLICY_ID, select
from bandit.posteriors import PosteriorEpoch
from contracts.payload import SOURCES
from serving.frame import Frame
from serving.query import Query
from serving.stages import Ranking


@dataclass(frozen=True)
class SourceReranker:
    """Arms are the sources; the arm that wins a slot gives the best of its candidates that is left.

    Args:
        prior: Of a context that has no posteriors.
    """

    prior: PosteriorEpoch

    def rank(self, frame: Frame, query: Query) -> Ranking:
        context = str(query.segment)
        posterior = query.state.posteriors.get((query.request.surface, context), self.prior)
        # Arms stand in the order in which the list first names them.
        rows: dict[int, list[int]] = defaultdict(list)
        for row, code in enumerate(frame.candidates.sources.tolist()):
            rows[code].append(row)
        arm_set = ArmSet(tuple(_NAMES[code] for code in rows), tuple(map(len, rows.values())))
        slate = select(posterior, arm_set, query.request.limit, query.request.seed)
        left = [iter(found) for found in rows.values()]
        order = np.array([next(left[arm]) for arm in slate], np.intp)
        return Ranking(order, POLICY_ID, posterior.epoch, arm_set, context)


_NAMES = tuple(map(str, SOURCES))
