"""`category_rising`: streamers of the user's categories who win viewers.

    rise(s)     = log((recent viewers a day + k) / (earlier viewers a day + k))
    score(u, s) = share of u's visits that went to s's category * rise(s)

A viewer is a user with a valued view on a day; k keeps a step from one viewer to three from being a rise.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ExplorationSettings
from jobs.transformations.arithmetic import with_rank
from jobs.transformations.as_of import AS_OF
from jobs.transformations.exploration.trends import EARLIER_RATE, RECENT_RATE


def category_rising(tastes: DataFrame, trends: DataFrame, exploration: ExplorationSettings) -> DataFrame:
    """User, streamer, score and `as_of`.

    Args:
        tastes: `trends.tastes`.
        trends: `trends.streamer_trends`.
    """
    prior = f.lit(exploration.prior_daily_viewers)
    rise = f.log((f.col(RECENT_RATE) + prior) / (f.col(EARLIER_RATE) + prior))
    rising = trends.withColumn(c.SCORE, rise).where(f.col(c.SCORE) > f.log(f.lit(exploration.min_rise)))
    return for_tastes(tastes, rising, exploration.per_category)


def for_tastes(tastes: DataFrame, streamers: DataFrame, per_category: int) -> DataFrame:
    """The best streamers of each category for the users whose category it is: user, streamer, score and `as_of`.

    Args:
        streamers: Streamer, category, score and `as_of`.
    """
    ranked = with_rank(streamers, [AS_OF, c.CATEGORY], f.desc(c.SCORE), f.asc(c.STREAMER_ID))
    best = ranked.where(f.col(c.RANK) <= per_category).select(AS_OF, c.CATEGORY, c.STREAMER_ID, c.SCORE)
    return tastes.join(f.broadcast(best), on=[AS_OF, c.CATEGORY], how="inner").select(
        AS_OF, c.USER_ID, c.STREAMER_ID, (f.col(c.SHARE) * f.col(c.SCORE)).alias(c.SCORE)
    )
