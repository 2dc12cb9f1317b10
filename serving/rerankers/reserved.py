"""Slots kept for streamers that the user knows, and slots kept for new ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bandit.arms import VISITS
from serving.frame import Frame
from serving.kernels import among
from serving.query import Query

Visits = npt.NDArray[np.uint8]
_NOTHING: Visits = np.empty(0, np.uint8)
_RETURN, _DISCOVERY = range(len(VISITS))


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
        is_return = among(frame.candidates.streamer_ids, user.streamers)
        returns = int(np.count_nonzero(is_return))
        discoveries = len(frame) - returns
        least_returns = round(self.min_return_share * limit)
        # Two halves of an odd slate, each rounded up, would be more than it holds.
        least_discoveries = min(round(self.min_discovery_share * limit), limit - least_returns)
        least = min(least_returns, returns), min(least_discoveries, discoveries)
        may_lack_returns = least[_RETURN] and discoveries > limit - least[_RETURN]
        may_lack_discoveries = least[_DISCOVERY] and returns > limit - least[_DISCOVERY]
        if not may_lack_returns and not may_lack_discoveries:
            return _NOTHING, ()
        return (~is_return).view(np.uint8), least
