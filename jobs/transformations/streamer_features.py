"""What the views of the window say of a streamer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF
from jobs.transformations.views import played

_LIVE_SECONDS, _VALUES = "live_seconds", "sum_of_values"


def streamer_features(views: DataFrame) -> DataFrame:
    """One row per streamer with a view, and `as_of`; without `available_at`."""
    is_returning = f.col(c.DISTINCT_DAYS) >= 2
    viewers = f.count(f.lit(1))
    return (
        _pairs(views)
        .groupBy(c.STREAMER_ID, AS_OF)
        .agg(
            f.sum(c.VIEWS).alias(c.VIEWS),
            viewers.alias(c.VIEWERS),
            exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
            share(exact_sum(f.col(_LIVE_SECONDS)), exact_sum(f.col(c.WATCHED_SECONDS))).alias(c.LIVE_SHARE),
            (f.count_if(is_returning) / viewers).alias(c.RETURN_SHARE),
            share(exact_sum(f.col(_VALUES)), exact_sum(f.col(c.WEIGHT))).alias(c.MEAN_VALUE),
        )
    )


def _pairs(views: DataFrame) -> DataFrame:
    """One row per user and streamer; days first, so that they are distinct."""
    live = f.when(f.col(c.CONTENT_KIND) == f.lit(ContentKind.LIVE.value), f.col(c.WATCHED_SECONDS)).otherwise(
        f.lit(0.0)
    )
    daily = (
        played(views)
        .groupBy(c.USER_ID, c.STREAMER_ID, c.VIEW_DAY, AS_OF)
        .agg(
            f.count(f.lit(1)).alias(c.VIEWS),
            exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
            exact_sum(live).alias(_LIVE_SECONDS),
            exact_sum(f.col(c.WEIGHT) * f.col(c.VALUE)).alias(_VALUES),
            exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT),
        )
    )
    totals = (c.WATCHED_SECONDS, _LIVE_SECONDS, _VALUES, c.WEIGHT)
    return daily.groupBy(c.USER_ID, c.STREAMER_ID, AS_OF).agg(
        f.sum(c.VIEWS).alias(c.VIEWS),
        f.count(f.lit(1)).alias(c.DISTINCT_DAYS),
        *(exact_sum(f.col(name)).alias(name) for name in totals),
    )
