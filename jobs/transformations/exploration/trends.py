"""What the kinds of exploration know of streamers and of users' categories."""

from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ExplorationSettings
from jobs.transformations.arithmetic import exact_sum, share, with_rank
from jobs.transformations.as_of import AS_OF
from jobs.transformations.views import played

RECENT_RATE: Final = "recent_rate"
EARLIER_RATE: Final = "earlier_rate"
FIRST_DAY: Final = "first_day"
LOG_BEGINS: Final = "log_begins"
_IS_RECENT, _RECENT, _EARLIER, _VALUES, _SQUARES = "is_recent", "recent", "earlier", "values", "squares"


def tastes(visits: DataFrame, streamers: DataFrame, exploration: ExplorationSettings) -> DataFrame:
    """The categories that each user visits most: user, category, share of the visits, `as_of`.

    Args:
        visits: `streamer_orientation.visits`.
        streamers: `streamer_v1` with `as_of`.
    """
    placed = visits.join(f.broadcast(_categories(streamers)), on=[AS_OF, c.STREAMER_ID], how="inner")
    counts = placed.groupBy(c.USER_ID, AS_OF, c.CATEGORY).agg(f.sum(c.VISITS).alias(c.VISITS))
    of_user = Window.partitionBy(c.USER_ID, AS_OF).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    shares = counts.withColumn(c.SHARE, f.col(c.VISITS) / f.sum(c.VISITS).over(of_user))
    ranked = with_rank(shares, [c.USER_ID, AS_OF], f.desc(c.SHARE), f.asc(c.CATEGORY))
    return ranked.where(f.col(c.RANK) <= exploration.categories).select(AS_OF, c.USER_ID, c.CATEGORY, c.SHARE)


def streamer_trends(views: DataFrame, streamers: DataFrame, exploration: ExplorationSettings) -> DataFrame:
    """One row per streamer with a category and a view in the window, and `as_of`.

    Viewers a day, recently and earlier; viewers; when the first view was; the lower bound of the value of a viewer's
    views (mean over viewers minus `confidence_z` standard errors); and when the log begins, as far as the window tells.

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
    """
    found = _counted(_voices(views, exploration.recent_days))
    begins = f.min(FIRST_DAY).over(Window.partitionBy(AS_OF))
    earlier_days = f.greatest(f.lit(1), f.datediff(AS_OF, LOG_BEGINS) + f.lit(1 - exploration.recent_days))
    mean = f.col(_VALUES) / f.col(c.VIEWERS)
    variance = f.greatest(f.lit(0.0), f.col(_SQUARES) / f.col(c.VIEWERS) - mean * mean)
    error = f.sqrt((variance + f.lit(exploration.prior_variance)) / f.col(c.VIEWERS))
    return (
        found.withColumn(LOG_BEGINS, begins)
        .join(f.broadcast(_categories(streamers)), on=[AS_OF, c.STREAMER_ID], how="inner")
        .select(
            AS_OF,
            c.STREAMER_ID,
            c.CATEGORY,
            c.VIEWERS,
            FIRST_DAY,
            LOG_BEGINS,
            (f.col(_RECENT) / f.lit(exploration.recent_days)).alias(RECENT_RATE),
            (f.col(_EARLIER) / earlier_days).alias(EARLIER_RATE),
            f.greatest(f.lit(0.0), mean - f.lit(exploration.confidence_z) * error).alias(c.VALUE_LOWER_BOUND),
        )
    )


def _voices(views: DataFrame, recent_days: int) -> DataFrame:
    """One row per user and streamer: days with a valued view, recent and earlier, and the mean value of the views."""
    is_recent = f.datediff(AS_OF, c.VIEW_DAY) < f.lit(recent_days)
    daily = (
        played(views)
        .groupBy(c.USER_ID, c.STREAMER_ID, AS_OF, c.VIEW_DAY)
        .agg(
            f.max(f.col(c.IS_VALUED).cast("int")).alias(c.IS_VALUED),
            exact_sum(f.col(c.WEIGHT) * f.col(c.VALUE)).alias(_VALUES),
            exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT),
        )
        .withColumn(_IS_RECENT, is_recent)
    )
    return daily.groupBy(c.USER_ID, c.STREAMER_ID, AS_OF).agg(
        f.sum(f.when(f.col(_IS_RECENT), f.col(c.IS_VALUED)).otherwise(f.lit(0))).alias(_RECENT),
        f.sum(f.when(f.col(_IS_RECENT), f.lit(0)).otherwise(f.col(c.IS_VALUED))).alias(_EARLIER),
        f.min(c.VIEW_DAY).alias(FIRST_DAY),
        share(exact_sum(f.col(_VALUES)), exact_sum(f.col(c.WEIGHT))).alias(c.VALUE),
    )


def _counted(voices: DataFrame) -> DataFrame:
    return voices.groupBy(c.STREAMER_ID, AS_OF).agg(
        f.sum(_RECENT).alias(_RECENT),
        f.sum(_EARLIER).alias(_EARLIER),
        f.min(FIRST_DAY).alias(FIRST_DAY),
        f.count(f.lit(1)).alias(c.VIEWERS),
        exact_sum(f.col(c.VALUE)).alias(_VALUES),
        exact_sum(f.col(c.VALUE) * f.col(c.VALUE)).alias(_SQUARES),
    )


def _categories(streamers: DataFrame) -> DataFrame:
    return streamers.where(f.col(c.CATEGORY).isNotNull()).select(AS_OF, c.STREAMER_ID, c.CATEGORY)
