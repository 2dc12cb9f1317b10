"""Watch rows to views, the base of every formula: how a log cuts a visit into rows must not matter."""

from datetime import date, timedelta
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations.arithmetic import exact_sum

LAST_END: Final = "last_end"
_NEWER, _LEFT, _RIGHT = "newer_dt", "stored", "newer"


def views(events: DataFrame, time_zone: str) -> DataFrame:
    """All watch rows of one (user, content, platform day) added up.

    `dt` is the latest partition that holds a row of the view; `last_end` is when its last row ended,
    in unix microseconds.
    The result is partitioned by user: grouping by user and anything else costs no further shuffle.
    """
    end = f.unix_micros(c.EVENT_TIME) + f.rint(f.col(c.WATCHED_SECONDS) * f.lit(1e6)).cast("long")
    local_day = f.to_date(f.from_utc_timestamp(c.EVENT_TIME, time_zone))
    rows = events.repartition(c.USER_ID).withColumns({c.VIEW_DAY: local_day, LAST_END: end})
    return rows.groupBy(c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.VIEW_DAY).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.min(c.EVENT_TIME).alias(c.FIRST_EVENT_TIME),
        f.max(c.EVENT_TIME).alias(c.LAST_EVENT_TIME),
        f.max(LAST_END).alias(LAST_END),
        exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        f.max(c.IS_CLICK).alias(c.IS_CLICK),
        f.max(c.LOGGED_VALUED).alias(c.LOGGED_VALUED),
        f.max(f.to_date(c.DT)).alias(c.DT),
    )


def latest_views(view_values: DataFrame) -> DataFrame:
    """Of each view the row of the latest dt, which has all its seconds. The result is partitioned by user.

    Only a row that came after its day can supersede another: these are few, so that the join is a look-up where
    ranking every view by its dt would be a sort.
    """
    late = view_values.where(f.to_date(c.DT) > f.col(c.VIEW_DAY))
    newer = late.select(c.USER_ID, c.CONTENT_ID, c.VIEW_DAY, f.col(c.DT).alias(_NEWER))
    kept = view_values.alias(_LEFT).join(
        newer.alias(_RIGHT),
        on=[
            *(f.col(f"{_LEFT}.{key}") == f.col(f"{_RIGHT}.{key}") for key in (c.USER_ID, c.CONTENT_ID, c.VIEW_DAY)),
            f.col(c.DT) < f.col(_NEWER),
        ],
        how="left_anti",
    )
    return kept.repartition(c.USER_ID)


def in_window(frame: DataFrame, day: date, window_days: int) -> DataFrame:
    """The views of the `window_days` platform days that end with `day`."""
    first = day - timedelta(days=window_days - 1)
    return frame.where(f.col(c.VIEW_DAY).between(f.lit(first), f.lit(day)))


def played(frame: DataFrame) -> DataFrame:
    """Views with any seconds: an exposure that was not played is no watch."""
    return frame.where(f.col(c.WATCHED_SECONDS) > 0)
