"""Which streamers are preferred by the same people.

    w(u, s)  = score(u, s) / sqrt(sum over u's preferred streamers of score^2)
    co(s, t) = sum over users of  w(u, s) w(u, t)
    related  = co(s, t) / sqrt(co(s, s) co(t, t)) * support / (support + k)

with support the number of users who prefer both and k = `prior_support`. Every user weighs one, and a preferred list
has a length, so that whoever watches everything tells no more than others; few common users are believed little.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import NeighborSettings
from jobs.transformations.arithmetic import exact_sum, with_rank
from jobs.transformations.as_of import AS_OF

_LEFT, _RIGHT, _CO = "left_streamer", "right_streamer", "co_preference"


def related_streamers(preferred: DataFrame, neighbors: NeighborSettings) -> DataFrame:
    """Ranked related streamers per streamer, and `as_of`; without `available_at`.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
    """
    pairs = _pairs(_weights(preferred))
    lengths = pairs.where(f.col(_LEFT) == f.col(_RIGHT))
    left = lengths.select(AS_OF, _LEFT, f.col(_CO).alias("left_length"))
    right = lengths.select(AS_OF, _RIGHT, f.col(_CO).alias("right_length"))
    cosine = f.col(_CO) / f.sqrt(f.col("left_length") * f.col("right_length"))
    believed = f.col(c.SUPPORT) / (f.col(c.SUPPORT) + f.lit(neighbors.prior_support))
    scored = (
        pairs.where(f.col(_LEFT) != f.col(_RIGHT))
        .join(f.broadcast(left), on=[AS_OF, _LEFT], how="inner")
        .join(f.broadcast(right), on=[AS_OF, _RIGHT], how="inner")
        .select(
            AS_OF,
            f.col(_LEFT).alias(c.STREAMER_ID),
            f.col(_RIGHT).alias(c.RELATED_STREAMER_ID),
            (f.least(f.lit(1.0), cosine) * believed).alias(c.SCORE),
            c.SUPPORT,
        )
        .where(f.col(c.SCORE) > 0)
    )
    ranked = with_rank(scored, [AS_OF, c.STREAMER_ID], f.desc(c.SCORE), f.asc(c.RELATED_STREAMER_ID))
    return ranked.where(f.col(c.RANK) <= neighbors.related_length)


def _weights(preferred: DataFrame) -> DataFrame:
    """One row per user: the preferred streamers with weights of length 1."""
    liked = f.sort_array(f.collect_list(f.struct(c.STREAMER_ID, c.SCORE)))
    return (
        preferred.groupBy(c.USER_ID, AS_OF)
        .agg(liked.alias("liked"), f.sqrt(exact_sum(f.col(c.SCORE) * f.col(c.SCORE))).alias("length"))
        .where(f.col("length") > 0)
    )


def _pairs(users: DataFrame) -> DataFrame:
    """Co-preference of each ordered pair of streamers, of a streamer with itself, too."""
    first = users.select(AS_OF, "length", "liked", f.explode("liked").alias("one"))
    both = first.select(AS_OF, "length", "one", f.explode("liked").alias("other"))
    product = (f.col("one")[c.SCORE] / f.col("length")) * (f.col("other")[c.SCORE] / f.col("length"))
    streamers = {_LEFT: f.col("one")[c.STREAMER_ID], _RIGHT: f.col("other")[c.STREAMER_ID], _CO: product}
    return (
        both.select(AS_OF, *(column.alias(name) for name, column in streamers.items()))
        .groupBy(AS_OF, _LEFT, _RIGHT)
        .agg(exact_sum(f.col(_CO)).alias(_CO), f.count(f.lit(1)).alias(c.SUPPORT))
    )
