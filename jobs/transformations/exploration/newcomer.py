"""`newcomer`: new or small streamers of the user's categories whose views are valued highly.

    score(u, s) = share of u's visits that went to s's category * lower bound of the value of s's views

New: the first view is at most `newcomer_days` old, and the log goes further back than that. Small: of the
`small_share` of streamers with the fewest viewers. The lower bound, over viewers, keeps three friends from making a
star.
"""

from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ExplorationSettings
from jobs.transformations.as_of import AS_OF
from jobs.transformations.exploration.category_rising import for_tastes
from jobs.transformations.exploration.trends import FIRST_DAY, LOG_BEGINS

_IS_SMALL: Final = "is_small"


def newcomer(tastes: DataFrame, trends: DataFrame, exploration: ExplorationSettings) -> DataFrame:
    """User, streamer, score and `as_of`.

    Args:
        tastes: `trends.tastes`.
        trends: `trends.streamer_trends`.
    """
    by_size = Window.partitionBy(AS_OF).orderBy(c.VIEWERS)
    is_small = f.percent_rank().over(by_size) < f.lit(exploration.small_share)
    is_new = f.datediff(AS_OF, FIRST_DAY) < f.lit(exploration.newcomer_days)
    is_new &= f.datediff(AS_OF, LOG_BEGINS) >= f.lit(exploration.newcomer_days)
    found = trends.withColumn(_IS_SMALL, is_small).where(is_new | f.col(_IS_SMALL))
    evident = found.where(f.col(c.VIEWERS) >= exploration.min_viewers)
    valued = evident.withColumn(c.SCORE, f.col(c.VALUE_LOWER_BOUND)).where(f.col(c.SCORE) > 0)
    return for_tastes(tastes, valued, exploration.per_category)
