"""The four kinds together: per user and kind, the best streamers, without those that the user watches."""

from collections.abc import Mapping
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ExplorationKind
from jobs.transformations.arithmetic import with_rank
from jobs.transformations.as_of import AS_OF

_IS_WATCHED: Final = "is_watched"


def exploration_candidates(found: Mapping[ExplorationKind, DataFrame], visits: DataFrame, length: int) -> DataFrame:
    """At most `length` streamers per user and kind, ranked; without `available_at`.

    Args:
        found: User, streamer, score and `as_of` of each kind.
        visits: `streamer_orientation.visits`: what is watched is no exploration, but for those who have lapsed.
    """
    rows = [
        scored.select(AS_OF, c.USER_ID, f.lit(kind.value).alias(c.EXPLORATION_KIND), c.STREAMER_ID, c.SCORE)
        for kind, scored in found.items()
    ]
    watched = visits.select(AS_OF, c.USER_ID, c.STREAMER_ID, f.lit(True).alias(_IS_WATCHED))
    is_new = f.col(_IS_WATCHED).isNull() | (f.col(c.EXPLORATION_KIND) == f.lit(ExplorationKind.LAPSED.value))
    unknown = reduce(DataFrame.unionByName, rows).join(watched, on=[c.USER_ID, c.STREAMER_ID, AS_OF], how="left")
    within = [c.USER_ID, AS_OF, c.EXPLORATION_KIND]
    ranked = with_rank(unknown.where(is_new), within, f.desc(c.SCORE), f.asc(c.STREAMER_ID))
    return ranked.where(f.col(c.RANK) <= length).select(
        AS_OF, c.USER_ID, c.EXPLORATION_KIND, c.RANK, c.STREAMER_ID, c.SCORE
    )
