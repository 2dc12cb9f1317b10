"""Room for streamers that the user knows, and room for new ones."""

from dataclasses import dataclass

import numpy as np

from serving.frame import Frame, Index, Mask
from serving.kernels import among
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
        turns = _turns(frame.candidates.sources.tolist(), is_return.tolist()).argsort(kind="stable")
        is_return = is_return[turns]
        place = np.where(is_return, is_return.cumsum(), (~is_return).cumsum())
        mask = np.empty(len(frame), bool)
        mask[turns] = place <= np.where(is_return, most_returns, most_discoveries)
        return mask


def _turns(sources: list[int], is_return: list[bool]) -> Index:
    """(K,) which of its source and kind each row is: by turns, the bandit keeps its choice of sources."""
    met: dict[tuple[int, bool], int] = {}
    turns = []
    for key in zip(sources, is_return, strict=True):
        turn = met.get(key, 0)
        turns.append(turn)
        met[key] = turn + 1
    return np.array(turns, np.intp)
