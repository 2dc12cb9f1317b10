"""Slots kept for streamers that the user knows, and slots kept for new ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.frame import Frame
from serving.kernels import visits_of
from serving.query import Query

Visits = npt.NDArray[np.uint8]
_NOTHING: Visits = np.empty(0, np.uint8)


@dataclass(frozen=True)
class Reserved:
    """What a slate owes (`ArmSet.visits` and `ArmSet.least`).

    A return is an item of a streamer whom the user prefers or watched with value lately. What one kind cannot fill is
    the other's.

    Args:
        min_return_share: Of a slate, 0 to 0.5.
        min_discovery_share: The same.
    """

    min_return_share: float
    min_discovery_share: float

    def of(self, frame: Frame, query: Query) -> tuple[Visits, tuple[int, ...]]:
        """(K,) the place in `VISITS` of each candidate's visit, and how many of each a slate must hold.

        Both are empty where every slate that can be drawn holds enough.
        """
        user, limit = query.user.known, query.request.limit
        if user is None or len(frame) <= limit:
            return _NOTHING, ()
        least_returns = round(self.min_return_share * limit)
        # Two halves of an odd slate, each rounded up, would be more than it holds.
        least_discoveries = min(round(self.min_discovery_share * limit), limit - least_returns)
        owed = least_returns, least_discoveries
        visits, least = visits_of(frame.candidates.streamer_ids, user.streamers, limit, owed)
        return visits, least if any(least) else ()
