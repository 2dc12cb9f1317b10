"""Room for streamers that the user knows, and room for new ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.filters.among import among
from serving.frame import Frame, Index, Mask
from serving.query import Query


@dataclass(frozen=True)
class VisitQuotaCap:
    """Keeps so few returns that the least share of discoveries fits beside them, and the other way round.

    A return is an item of a streamer whom the user prefers or watched with value lately. What one kind cannot fill
    is the other's. The bandit chooses among what is left, so every slate it can draw keeps both quotas, and its
    arm set tells all that is needed to draw it again. The price is choice: with the default shares it chooses among
    at most 1.6 slates' worth.

    Args:
        min_return_share: Of a slate, 0 to 1.
        min_discovery_share: The same.
    """

    min_return_share: float
    min_discovery_share: float

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        user, limit = query.user.known, query.request.limit
        if user is None or len(frame) <= limit:
            return None
        is_return = among(frame.candidates.streamer_ids, user.streamers)
        returns = int(np.count_nonzero(is_return))
        discoveries = len(frame) - returns
        least_returns = round(self.min_return_share * limit)
        # Two halves of an odd slate, each rounded up, would be more than it holds.
        least_discoveries = min(round(self.min_discovery_share * limit), limit - least_returns)
        most_returns, most_discoveries = (
            limit - min(least_discoveries, discoveries),
            limit - min(least_returns, returns),
        )
        if returns <= most_returns and discoveries <= most_discoveries:
            return None
        mask = np.zeros(len(frame), bool)
        for members, most in ((is_return, most_returns), (~is_return, most_discoveries)):
            rows = np.flatnonzero(members)
            mask[rows[_source_by_source(frame.candidates.sources[rows])[:most]]] = True
        return mask


def _source_by_source(sources: npt.NDArray[np.uint8]) -> Index:
    """Places in turns: the first of every source, then the second of every one; so that the bandit keeps its choice."""
    order = sources.argsort(kind="stable")
    starts = np.flatnonzero(np.diff(sources[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    turn = np.empty(len(order), np.intp)
    turn[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    return turn.argsort(kind="stable")
