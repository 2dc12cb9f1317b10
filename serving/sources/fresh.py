"""What was published since the batch."""

from dataclasses import dataclass

import numpy as np

from contracts.errors import PayloadError
from contracts.packed_vector import unpack_vector
from contracts.payload import CandidateColumns
from serving.fresh.index import FreshIndex, UserVector
from serving.query import Level, Query
from serving.stages import Fetched


@dataclass(frozen=True)
class FreshSource:
    """The fresh contents that the model scores highest for the user; without a vector of the user, the newest of the
    streamers whom the user knows. The catalogue does not know them yet, so language and age are looked at here.

    Args:
        count: Offered to a request.
        unknown_age_years: As `AgeFilter` has it.
    """

    count: int
    unknown_age_years: int
    level = Level.PERSONAL

    def fetch(self, query: Query) -> Fetched:
        index = query.state.fresh
        if not len(index):
            return Fetched(None)
        try:
            found = self._best(index, query)
        except PayloadError as error:
            return Fetched(None, f"the user's vector cannot be read: {error}")
        if found is None or not len(found):
            return Fetched(None)
        return Fetched(self._allowed(index, found, query))

    def _best(self, index: FreshIndex, query: Query) -> CandidateColumns | None:
        user, generation, at = query.user, query.generation, query.request.at.timestamp()
        if user.vector is not None:
            values = unpack_vector(user.vector, generation.vector_dim)
            return index.best(UserVector(values, generation.vector_model_version), self.count, at)
        if user.known is not None and len(user.known.streamers):
            return index.newest_of(user.known.streamers, self.count, at)
        return None

    def _allowed(self, index: FreshIndex, found: CandidateColumns, query: Query) -> CandidateColumns:
        request, rows = query.request, index.rows(found.item_ids)
        age = self.unknown_age_years if request.viewer_age_years is None else request.viewer_age_years
        mask = index.min_ages[rows] <= age
        if request.languages:
            spoken = index.languages[rows]
            mask &= np.array([language is None or language in request.languages for language in spoken], bool)
        return found.take(np.asarray(mask))
