"""The bandit chooses which source fills each slot."""

from dataclasses import dataclass

import numpy as np

from bandit.arms import VISITS, ArmSet
from bandit.policies.registry import Policy
from bandit.posteriors import PosteriorEpoch
from bandit.stock import Stock, taken
from contracts.names import Source
from contracts.payload import SOURCES, Ids
from serving.frame import Frame
from serving.kernels import grouped
from serving.query import LEVELS, Level, Query
from serving.rerankers.reserved import Reserved, Visits
from serving.stages import Ranking


@dataclass(frozen=True)
class SourceReranker:
    """Arms are the sources; the arm that wins a slot gives the best of its candidates that is left and may fill it.

    What stands in for streamers of the user's who are off comes after those who are on, and before the broadcasts of
    other lists.

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
        arm_set = self._arm_set(frame, query, codes.tolist(), sizes, rows)
        slate = self.policy.select(posterior, arm_set, request.limit, request.seed)
        order = rows[taken(arm_set.stock, slate)]
        return Ranking(order, self.policy.policy_id, posterior.epoch, arm_set, context)

    def _arm_set(self, frame: Frame, query: Query, codes: list[int], sizes: Ids, rows: Ids) -> ArmSet:
        names, counts = tuple([_NAMES[code] for code in codes]), sizes.tolist()
        if _STAND_IN in codes and len(codes) > 1:
            # The user's list has fewer broadcasts than there are slots: all are shown, and nothing is left to reserve.
            best = frame.levels[rows[sizes.cumsum() - sizes]].tolist()
            tiers = [1 if code == _STAND_IN else 2 * (level > _OWN) for code, level in zip(codes, best, strict=True)]
            return ArmSet(names, tuple(counts), tiers=tuple(tiers))
        visits, least = self.reserved.of(frame, query) if self.reserved is not None else (_NO_VISITS, ())
        if least:
            visits = visits[rows]
        stock = Stock(sizes, np.zeros(len(sizes), np.int64), visits, np.array(least or (0, 0), np.int64))
        return ArmSet.stocked(names, stock, _letters(visits, counts) if least else (), least)


def _letters(visits: Visits, counts: list[int]) -> tuple[str, ...]:
    """The visits of each arm's candidates, as an arm set has them."""
    letters, end = visits.tobytes().translate(_LETTERS).decode(), 0
    return tuple([letters[end : (end := end + count)] for count in counts])


_NO_VISITS: Visits = np.empty(0, np.uint8)
_LETTERS = VISITS.encode().ljust(256)
_NAMES = tuple(map(str, SOURCES))
_STAND_IN = SOURCES.index(Source.STAND_IN)
_OWN = LEVELS.index(Level.PERSONAL)
