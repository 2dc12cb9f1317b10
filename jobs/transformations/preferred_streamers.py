"""Whom a user prefers, from the views of a trailing window.

    score(u, s) = sum over u's views of s of  kind weight * log(1 + seconds / saturation) * 2^(-age / half-life)
                + day weight * sum over the distinct days that u came to s of  2^(-age / half-life)

The concave log keeps one night left running from outweighing ten visits. Whoever has fewer than `min_views` views of
anything, or no streamer of `min_score`, gets no preferred streamers rather than noise.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import PreferenceSettings
from jobs.transformations.arithmetic import age_days, decay, exact_sum, with_rank
from jobs.transformations.as_of import AS_OF
from jobs.transformations.views import played

_PART = "part_of_score"


def preferred_streamers(views: DataFrame, preferences: PreferenceSettings) -> DataFrame:
    """Ranked preferred streamers per user; without `available_at`.

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
    """
    scores = _scores(_daily(views, preferences), preferences)
    enough = (f.col(c.VIEWS) >= preferences.min_views) & (f.col(c.SCORE) >= f.lit(preferences.min_score))
    ranked = with_rank(scores.where(enough), [c.USER_ID, AS_OF], f.desc(c.SCORE), f.asc(c.STREAMER_ID))
    return ranked.where(f.col(c.RANK) <= preferences.list_length).select(
        AS_OF, c.USER_ID, c.STREAMER_ID, c.RANK, c.SCORE, c.DISTINCT_DAYS, c.WATCHED_SECONDS, c.LAST_VIEW_DAY
    )


def _daily(views: DataFrame, preferences: PreferenceSettings) -> DataFrame:
    concave = f.log1p(f.col(c.WATCHED_SECONDS) / f.lit(preferences.saturation_seconds))
    return (
        played(views)
        .groupBy(c.USER_ID, c.STREAMER_ID, c.VIEW_DAY, AS_OF)
        .agg(
            exact_sum(_kind_weight(preferences) * concave).alias(_PART),
            exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
            f.count(f.lit(1)).alias(c.VIEWS),
        )
    )


def _scores(daily: DataFrame, preferences: PreferenceSettings) -> DataFrame:
    """One row per user and streamer; `views` are the user's, of anything."""
    part = (f.col(_PART) + f.lit(preferences.day_weight)) * decay(age_days(), preferences.half_life_days)
    of_user = Window.partitionBy(c.USER_ID, AS_OF).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    return (
        daily.groupBy(c.USER_ID, c.STREAMER_ID, AS_OF)
        .agg(
            exact_sum(part).alias(c.SCORE),
            f.count(f.lit(1)).cast("int").alias(c.DISTINCT_DAYS),
            exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
            f.max(c.VIEW_DAY).alias(c.LAST_VIEW_DAY),
            f.sum(c.VIEWS).alias(c.VIEWS),
        )
        .withColumn(c.VIEWS, f.sum(c.VIEWS).over(of_user))
    )


def _kind_weight(preferences: PreferenceSettings) -> Column:
    kind = f.col(c.CONTENT_KIND)
    weight = f.lit(0.0)
    for name, value in preferences.kind_weights.items():
        weight = f.when(kind == f.lit(name.value), f.lit(value)).otherwise(weight)
    return weight
