"""Streamers for streamer-oriented users: what the people who prefer the user's streamers prefer.

    score(u, t) = sum over u's preferred streamers s of  w(u, s) related(s, t)      with w as in `related_streamers`

Going through the streamer-by-streamer relatedness gives the sum over the user's neighbours without a user-by-user join.
A streamer is related to itself by 1: a preferred streamer is its own best return candidate.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import NeighborSettings
from jobs.transformations.arithmetic import exact_sum, with_rank
from jobs.transformations.as_of import AS_OF

_IS_RETURN, _LENGTH = "is_return", "length"


def live_candidates(
    preferred: DataFrame, related: DataFrame, orientation: DataFrame, visits: DataFrame, neighbors: NeighborSettings
) -> DataFrame:
    """Candidates of each oriented user with a rank in one of the two quotas, and `as_of`; without `available_at`.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
        related: `related_streamer_v1` with `as_of`.
        orientation: `streamer_orientation_v1` with `as_of`.
        visits: Streamers that each user has watched in the window, see `streamer_orientation.visits`.
    """
    oriented = orientation.where(c.IS_STREAMER_ORIENTED).select(AS_OF, c.USER_ID)
    liked = preferred.join(oriented, on=[c.USER_ID, AS_OF], how="left_semi")
    return _in_quotas(related_scores(preference_weights(liked), related), visits, neighbors)


def preference_weights(preferred: DataFrame) -> DataFrame:
    """Each user's preferred streamers with weights whose squares add up to 1: user, streamer, weight, `as_of`."""
    length = f.sqrt(exact_sum(f.col(c.SCORE) * f.col(c.SCORE)))
    lengths = preferred.groupBy(c.USER_ID, AS_OF).agg(length.alias(_LENGTH))
    return preferred.join(lengths, on=[c.USER_ID, AS_OF], how="inner").select(
        AS_OF, c.USER_ID, c.STREAMER_ID, (f.col(c.SCORE) / f.col(_LENGTH)).alias(c.WEIGHT)
    )


def related_scores(weights: DataFrame, related: DataFrame) -> DataFrame:
    """What relatedness to the weighted streamers adds up to: user, streamer, score, `as_of`."""
    itself = weights.select(AS_OF, c.USER_ID, c.STREAMER_ID, f.col(c.WEIGHT).alias(c.SCORE))
    scores = related.select(AS_OF, c.STREAMER_ID, c.RELATED_STREAMER_ID, c.SCORE)
    neighbours = weights.join(f.broadcast(scores), on=[AS_OF, c.STREAMER_ID], how="inner").select(
        AS_OF,
        c.USER_ID,
        f.col(c.RELATED_STREAMER_ID).alias(c.STREAMER_ID),
        (f.col(c.WEIGHT) * f.col(c.SCORE)).alias(c.SCORE),
    )
    return (
        itself.unionByName(neighbours)
        .groupBy(c.USER_ID, c.STREAMER_ID, AS_OF)
        .agg(exact_sum(f.col(c.SCORE)).alias(c.SCORE))
    )


def _in_quotas(scored: DataFrame, visits: DataFrame, neighbors: NeighborSettings) -> DataFrame:
    known = visits.select(AS_OF, c.USER_ID, c.STREAMER_ID, f.lit(True).alias(_IS_RETURN))
    split = scored.join(known, on=[c.USER_ID, c.STREAMER_ID, AS_OF], how="left").fillna({_IS_RETURN: False})
    ranked = with_rank(split, [c.USER_ID, AS_OF, _IS_RETURN], f.desc(c.SCORE), f.asc(c.STREAMER_ID))
    is_return = f.col(_IS_RETURN)
    length = f.when(is_return, f.lit(neighbors.return_length)).otherwise(f.lit(neighbors.discovery_length))
    return ranked.where(f.col(c.RANK) <= length).select(
        AS_OF,
        c.USER_ID,
        c.STREAMER_ID,
        c.SCORE,
        f.when(is_return, f.col(c.RANK)).alias(c.RETURN_RANK),
        f.when(~is_return, f.col(c.RANK)).alias(c.DISCOVERY_RANK),
    )
