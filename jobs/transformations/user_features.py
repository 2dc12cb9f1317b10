"""What the views of the window say of a user, with the histories that the user tower pools."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Segment
from contracts.settings import FeatureSettings
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF

_KEY, _VALUED, _EARLIER = "order_key", "valued", "earlier"
_LIVE_SECONDS, _VALUES = "live_seconds", "sum_of_values"


def user_features(views: DataFrame, preferred: DataFrame, earlier: DataFrame, features: FeatureSettings) -> DataFrame:
    """One row per user with a view or an earlier view, and `as_of`; without `available_at`.

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
        preferred: As `preferred_on` makes them, of the same days.
        earlier: As `earlier_contents` makes them, with `as_of`.
    """
    joined = (
        _totals(views)
        .join(earlier, on=[c.USER_ID, AS_OF], how="full")
        .join(_preferred(preferred), on=[c.USER_ID, AS_OF], how="left")
    )
    return joined.select(*_outputs(features))


def earlier_contents(earlier: DataFrame, features: FeatureSettings) -> DataFrame:
    """Contents of each user that the log does not call worthless, latest first: a row per user and partition.

    Args:
        earlier: `earlier_view_v1` with `dt`.
    """
    watch = f.struct((-f.col(c.POSITION)).alias(_KEY), f.col(c.CONTENT_ID))
    ordered = f.sort_array(f.collect_list(watch))[c.CONTENT_ID]
    newest = f.slice(f.array_distinct(ordered), 1, features.history_length)
    may_be_valued = f.coalesce(c.LOGGED_VALUED, f.lit(True))
    return earlier.where(may_be_valued).groupBy(c.USER_ID, c.DT).agg(newest.alias(_EARLIER))


def _totals(views: DataFrame) -> DataFrame:
    is_play = f.col(c.WATCHED_SECONDS) > 0
    is_live = f.col(c.CONTENT_KIND) == f.lit(ContentKind.LIVE.value)
    watch = f.struct((-f.unix_micros(c.LAST_EVENT_TIME)).alias(_KEY), f.col(c.CONTENT_ID), f.col(c.STREAMER_ID))
    return views.groupBy(c.USER_ID, AS_OF).agg(
        f.count_if(is_play).alias(c.VIEWS),
        f.count_if(f.col(c.IS_VALUED)).alias(c.VALUED_VIEWS),
        exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        exact_sum(f.when(is_live, f.col(c.WATCHED_SECONDS))).alias(_LIVE_SECONDS),
        exact_sum(f.col(c.WEIGHT) * f.col(c.VALUE)).alias(_VALUES),
        exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT),
        f.size(f.collect_set(f.when(is_play, f.col(c.VIEW_DAY)))).alias(c.ACTIVE_DAYS),
        f.size(f.collect_set(f.when(is_play, f.col(c.STREAMER_ID)))).alias(c.DISTINCT_STREAMERS),
        f.sort_array(f.collect_list(f.when(f.col(c.IS_VALUED), watch))).alias(_VALUED),
    )


def _preferred(preferred: DataFrame) -> DataFrame:
    ranked = f.sort_array(f.collect_list(f.struct(c.RANK, c.STREAMER_ID)))
    return preferred.groupBy(c.USER_ID, AS_OF).agg(ranked[c.STREAMER_ID].alias(c.PREFERRED_STREAMER_IDS))


def _outputs(features: FeatureSettings) -> list[Column]:
    contents = f.concat(_ids(f.col(_VALUED)[c.CONTENT_ID]), _ids(f.col(_EARLIER)))
    streamers = _ids(f.col(_VALUED)[c.STREAMER_ID])
    counts = [f.coalesce(f.col(name), f.lit(0)).alias(name) for name in (c.VIEWS, c.VALUED_VIEWS)]
    small = [f.coalesce(f.col(name), f.lit(0)).alias(name) for name in (c.ACTIVE_DAYS, c.DISTINCT_STREAMERS)]
    return [
        f.col(AS_OF),
        f.col(c.USER_ID),
        _segment(features).alias(c.SEGMENT),
        *counts,
        _zero(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        *small,
        share(_zero(f.col(_LIVE_SECONDS)), _zero(f.col(c.WATCHED_SECONDS))).alias(c.LIVE_SHARE),
        share(_zero(f.col(_VALUES)), _zero(f.col(c.WEIGHT))).alias(c.MEAN_VALUE),
        f.slice(f.array_distinct(contents), 1, features.history_length).alias(c.RECENT_CONTENT_IDS),
        f.slice(f.array_distinct(streamers), 1, features.history_length).alias(c.RECENT_STREAMER_IDS),
        _ids(f.col(c.PREFERRED_STREAMER_IDS)).alias(c.PREFERRED_STREAMER_IDS),
    ]


def _segment(features: FeatureSettings) -> Column:
    views = f.coalesce(f.col(c.VIEWS), f.lit(0))
    return (
        f.when(views < features.light_views, f.lit(Segment.NEW.value))
        .when(views < features.heavy_views, f.lit(Segment.LIGHT.value))
        .otherwise(f.lit(Segment.HEAVY.value))
    )


def _ids(column: Column) -> Column:
    return f.coalesce(column, f.array().cast("array<bigint>"))


def _zero(column: Column) -> Column:
    return f.coalesce(column, f.lit(0.0))
