"""Whether a user follows streamers rather than categories.

A visit is a day on which the user watched the streamer; n(s) are the user's visits to s, n(g) those to category g.

    same     = sum over s of n(s) (n(s) - 1) / sum over g of n(g) (n(g) - 1)
    expected = the same of two visits of anybody: sum over g of n(g) (n(g) - 1) p(g) / sum over g of n(g) (n(g) - 1)
               with p(g) = sum over the streamers of g of (their share of all visits to g)^2
    score    = (same - expected) / (1 - expected), within [0, 1];  `same` shrunk to `expected` by `prior_pairs`

Pairs without replacement (Simpson, Nature 1949) make `same` unbiased for a user with few visits, which an entropy would
take for loyalty; and the expectation keeps a category of one streamer from looking like loyalty to that streamer.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import NeighborSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF
from jobs.transformations.views import played

_TOGETHER, _PAIRS, _SAME, _EXPECTED, _ALIKE = "visits_together", "pairs", "same_pairs", "expected_pairs", "alike"


def visits(views: DataFrame) -> DataFrame:
    """One row per user, streamer and `as_of` with the number of days on which the user watched the streamer.

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
    """
    days = played(views).groupBy(c.USER_ID, c.STREAMER_ID, AS_OF, c.VIEW_DAY).agg(f.count(f.lit(1)))
    return days.groupBy(c.USER_ID, c.STREAMER_ID, AS_OF).agg(f.count(f.lit(1)).alias(c.VISITS))


def streamer_orientation(visits: DataFrame, streamers: DataFrame, neighbors: NeighborSettings) -> DataFrame:
    """One row per user with a visit, and `as_of`; without `available_at`.

    Args:
        visits: As `visits` makes them.
        streamers: `streamer_v1` with `as_of`; who has no category counts to the one without a name.
    """
    categories = streamers.select(AS_OF, c.STREAMER_ID, c.CATEGORY)
    placed = visits.join(f.broadcast(categories), on=[AS_OF, c.STREAMER_ID], how="left").fillna({c.CATEGORY: ""})
    of_category = placed.groupBy(c.USER_ID, AS_OF, c.CATEGORY).agg(
        f.sum(c.VISITS).alias(c.VISITS), f.sum(_pairs(f.col(c.VISITS))).alias(_SAME)
    )
    pairs = _pairs(f.col(c.VISITS))
    users = (
        of_category.join(f.broadcast(_alike(placed)), on=[AS_OF, c.CATEGORY], how="inner")
        .groupBy(c.USER_ID, AS_OF)
        .agg(
            f.sum(c.VISITS).alias(c.VISITS),
            f.sum(_SAME).alias(_SAME),
            f.sum(pairs).alias(_PAIRS),
            # Of a user without a pair, what the visited categories would give: then same is what is expected.
            (exact_sum(f.greatest(pairs, f.lit(1)) * f.col(_ALIKE)) / f.sum(f.greatest(pairs, f.lit(1)))).alias(
                c.EXPECTED_SHARE
            ),
        )
    )
    return _scored(users, neighbors)


def _scored(users: DataFrame, neighbors: NeighborSettings) -> DataFrame:
    prior, expected = f.lit(neighbors.prior_pairs), f.col(c.EXPECTED_SHARE)
    weight = f.col(_PAIRS) + prior
    same = f.when(weight > 0, (f.col(_SAME) + prior * expected) / weight).otherwise(expected)
    excess = f.when(expected < 1, (f.col(c.SAME_STREAMER_SHARE) - expected) / (f.lit(1.0) - expected))
    score = f.greatest(f.lit(0.0), f.least(f.lit(1.0), f.coalesce(excess, f.lit(0.0))))
    return (
        users.withColumn(c.SAME_STREAMER_SHARE, same)
        .withColumn(c.ORIENTATION, score)
        .withColumn(c.IS_STREAMER_ORIENTED, f.col(c.ORIENTATION) >= f.lit(neighbors.min_orientation))
        .select(
            AS_OF,
            c.USER_ID,
            c.VISITS,
            c.SAME_STREAMER_SHARE,
            c.EXPECTED_SHARE,
            c.ORIENTATION,
            c.IS_STREAMER_ORIENTED,
        )
    )


def _alike(placed: DataFrame) -> DataFrame:
    """How likely two visits of anybody to a category are to one streamer."""
    streamers = placed.groupBy(AS_OF, c.CATEGORY, c.STREAMER_ID).agg(f.sum(c.VISITS).alias(c.VISITS))
    squares = f.sum(f.col(c.VISITS).cast("double") * f.col(c.VISITS))
    whole = f.sum(c.VISITS).cast("double")
    return streamers.groupBy(AS_OF, c.CATEGORY).agg((squares / (whole * whole)).alias(_ALIKE))


def _pairs(count: Column) -> Column:
    return count * (count - f.lit(1))
