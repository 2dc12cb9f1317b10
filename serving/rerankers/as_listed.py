"""The order of the list."""

from dataclasses import dataclass

import numpy as np

from bandit.arms import ArmSet
from serving.frame import Frame
from serving.query import Query
from serving.stages import Ranking

POLICY_ID = "as_listed/1"


@dataclass(frozen=True)
class AsListedReranker:
    """For lists whose order is the point, such as a channel page or what the user began last."""

    def rank(self, frame: Frame, query: Query) -> Ranking:
        order = np.arange(min(len(frame), query.request.limit))
        return Ranking(order, POLICY_ID, 0, ArmSet((), ()), str(query.segment))
