"""What the views of the window say of a user, with the histories that the user tower pools."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contracts import columns as c
from contracts.names import ContentKind, Segment
from contracts.settings import FeatureSettings
from jobs.transformations.arithmetic import exact_sum, share

_KEY, _VALUED, _EARLIER = "order_key", "valued", "earlier"
_LIVE_SECONDS, _VALUES = "live_seconds", "sum_of_values"


def user_features(
    views: DataFrame, preferred: DataFrame, earlier: DataFrame, features: FeatureSettings
) -> DataFrame:
    """One row per user with a view or an earlier view; without `available_at`.

    Args:
        views: Latest views of the window, partitioned by user.
        preferred: `preferred_streamer_v1` of the same day.
        earlier: `earlier_view_v1`.
    """
    joined = (
        _totals(views)
        .join(_earlier(earlier, features), on=c.USER_ID, how="full")
        .join(_preferred(preferred), on=c.USER_ID, how="left")
    )
    return joined.select(*_outputs(features))


def _totals(views: DataFrame) -> DataFrame:
    is_play = F.col(c.WATCHED_SECONDS) > 0
    is_live = F.col(c.CONTENT_KIND) == F.lit(ContentKind.LIVE.value)
    watch = F.struct(
        (-F.unix_micros(c.LAST_EVENT_TIME)).alias(_KEY), F.col(c.CONTENT_ID), F.col(c.STREAMER_ID)
    )
    return views.groupBy(c.USER_ID).agg(
        F.count_if(is_play).alias(c.VIEWS),
        F.count_if(F.col(c.IS_VALUED)).alias(c.VALUED_VIEWS),
        exact_sum(F.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        exact_sum(F.when(is_live, F.col(c.WATCHED_SECONDS))).alias(_LIVE_SECONDS),
        exact_sum(F.col(c.WEIGHT) * F.col(c.VALUE)).alias(_VALUES),
        exact_sum(F.col(c.WEIGHT)).alias(c.WEIGHT),
        F.size(F.collect_set(F.when(is_play, F.col(c.VIEW_DAY)))).alias(c.ACTIVE_DAYS),
        F.size(F.collect_set(F.when(is_play, F.col(c.STREAMER_ID)))).alias(c.DISTINCT_STREAMERS),
        F.sort_array(F.collect_list(F.when(F.col(c.IS_VALUED), watch))).alias(_VALUED),
    )


def _earlier(earlier: DataFrame, features: FeatureSettings) -> DataFrame:
    """Contents of each user, latest first."""
    watch = F.struct((-F.col(c.POSITION)).alias(_KEY), F.col(c.CONTENT_ID))
    ordered = F.sort_array(F.collect_list(watch))[c.CONTENT_ID]
    newest = F.slice(F.array_distinct(ordered), 1, features.history_length)
    return earlier.groupBy(c.USER_ID).agg(newest.alias(_EARLIER))


def _preferred(preferred: DataFrame) -> DataFrame:
    ranked = F.sort_array(F.collect_list(F.struct(c.RANK, c.STREAMER_ID)))
    return preferred.groupBy(c.USER_ID).agg(ranked[c.STREAMER_ID].alias(c.PREFERRED_STREAMER_IDS))


def _outputs(features: FeatureSettings) -> list[Column]:
    contents = F.concat(_ids(F.col(_VALUED)[c.CONTENT_ID]), _ids(F.col(_EARLIER)))
    streamers = _ids(F.col(_VALUED)[c.STREAMER_ID])
    counts = [F.coalesce(F.col(name), F.lit(0)).alias(name) for name in (c.VIEWS, c.VALUED_VIEWS)]
    small = [F.coalesce(F.col(name), F.lit(0)).alias(name) for name in (c.ACTIVE_DAYS, c.DISTINCT_STREAMERS)]
    return [
        F.col(c.USER_ID),
        _segment(features).alias(c.SEGMENT),
        *counts,
        _zero(F.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        *small,
        share(_zero(F.col(_LIVE_SECONDS)), _zero(F.col(c.WATCHED_SECONDS))).alias(c.LIVE_SHARE),
        share(_zero(F.col(_VALUES)), _zero(F.col(c.WEIGHT))).alias(c.MEAN_VALUE),
        F.slice(F.array_distinct(contents), 1, features.history_length).alias(c.RECENT_CONTENT_IDS),
        F.slice(F.array_distinct(streamers), 1, features.history_length).alias(c.RECENT_STREAMER_IDS),
        _ids(F.col(c.PREFERRED_STREAMER_IDS)).alias(c.PREFERRED_STREAMER_IDS),
    ]


def _segment(features: FeatureSettings) -> Column:
    views = F.coalesce(F.col(c.VIEWS), F.lit(0))
    return (
        F.when(views < features.light_views, F.lit(Segment.NEW.value))
        .when(views < features.heavy_views, F.lit(Segment.LIGHT.value))
        .otherwise(F.lit(Segment.HEAVY.value))
    )


def _ids(column: Column) -> Column:
    return F.coalesce(column, F.array().cast("array<bigint>"))


def _zero(column: Column) -> Column:
    return F.coalesce(column, F.lit(0.0))
