"""Streamers for streamer-oriented users: what the people who prefer the user's streamers prefer.

The score is `scored_pairs.related_scores`: a preferred streamer is its own best return candidate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame

from contracts import columns as c
from contracts.settings import NeighborSettings
from contracts.tables import LIVE_CANDIDATE
from jobs.transformations.as_of import AS_OF
from jobs.transformations.fusion import Ints
from jobs.transformations.scored_pairs import USERS_AT_ONCE, Links, Pairs, related_scores
from jobs.transformations.user_blocks import some_users
from jobs.transformations.user_streamers import UserStreamers, user_streamers


def oriented_users(preferred: DataFrame, orientation: DataFrame, visits: DataFrame) -> DataFrame:
    """All that `LiveCandidates` needs of the users who follow streamers.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
        orientation: `streamer_orientation_v1` with `as_of`.
        visits: Streamers that each user has watched in the window, see `streamer_orientation.visits`.
    """
    oriented = orientation.where(c.IS_STREAMER_ORIENTED).select(AS_OF, c.USER_ID)
    return user_streamers(
        *(rows.join(oriented, on=[c.USER_ID, AS_OF], how="left_semi") for rows in (preferred, visits))
    )


@dataclass(frozen=True)
class LiveCandidates:
    """Makes the candidates of the users whose rows it gets."""

    related: Links
    neighbors: NeighborSettings
    available_at: datetime

    def __call__(self, rows: pa.Table) -> Iterator[pa.Table]:
        """Rows of `live_candidate_v1`, each with a rank in one of the two quotas, some users at a time."""
        for some in some_users(rows, USERS_AT_ONCE):
            known = UserStreamers.of(some)
            scored = related_scores(known.preferred, self.related)
            is_return = scored.is_among(known.visits)
            quotas = {
                c.RETURN_RANK: scored.where(is_return).best(self.neighbors.return_length),
                c.DISCOVERY_RANK: scored.where(~is_return).best(self.neighbors.discovery_length),
            }
            yield pa.concat_tables(self._table(some.ids, name, *quota) for name, quota in quotas.items())

    def _table(self, ids: Ints, quota: str, pairs: Pairs, ranks: Ints) -> pa.Table:
        count = len(ranks)
        columns = {
            c.USER_ID: ids[pairs.users],
            c.STREAMER_ID: pairs.items,
            c.SCORE: pairs.scores,
            c.RETURN_RANK: pa.nulls(count, pa.int32()),
            c.DISCOVERY_RANK: pa.nulls(count, pa.int32()),
            c.AVAILABLE_AT: pa.repeat(pa.scalar(self.available_at, pa.timestamp("us", tz="UTC")), count),
        }
        return pa.table({**columns, quota: ranks}).cast(LIVE_CANDIDATE.schema)
