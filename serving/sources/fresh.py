"""What was published since the batch."""

from dataclasses import dataclass

import numpy as np

from contracts.payload import CandidateColumns
from contracts.unpacking import NO_IDS
from serving.fresh.index import FreshIndex
from serving.fresh.lane import fresh_candidates
from serving.query import Level, Query
from serving.stages import Fetched


@dataclass(frozen=True)
class FreshSource:
    """What the fresh lane offers the user. The catalogue does not know it yet: language and age are looked at here.

    Args:
        count: Offered to a request.
        unknown_age_years: As `AgeFilter` has it.
    """

    count: int
    unknown_age_years: int
    level = Level.PERSONAL

    def fetch(self, query: Query) -> Fetched:
        index, user = query.state.fresh, query.user
        streamers = user.known.streamers if user.known is not None else NO_IDS
        at = query.request.at.timestamp()
        found = fresh_candidates(index, user.vector, query.generation.batch, streamers, self.count, at)
        if found.candidates is None or not len(found.candidates):
            return Fetched(None, found.problem)
        return Fetched(self._allowed(index, found.candidates, query), found.problem)

    def _allowed(self, index: FreshIndex, found: CandidateColumns, query: Query) -> CandidateColumns:
        request, rows = query.request, index.rows(found.item_ids)
        age = self.unknown_age_years if request.viewer_age_years is None else request.viewer_age_years
        mask = index.min_ages[rows] <= age
        if request.languages:
            spoken = index.languages[rows]
            mask &= np.array([language is None or language in request.languages for language in spoken], bool)
        return found.take(np.asarray(mask))
