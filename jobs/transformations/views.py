"""Watch rows to views, the base of every formula: how a log cuts a visit into rows must not matter."""

from datetime import date, timedelta
from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from contracts import columns as c
from jobs.transformations.arithmetic import exact_sum

LAST_END: Final = "last_end"
_ORDER: Final = "order"


def views(events: DataFrame, time_zone: str) -> DataFrame:
    """All watch rows of one (user, content, platform day) added up.

    `dt` is the latest partition that holds a row of the view; `last_end` is when its last row ended, in unix seconds.
    The result is partitioned by user: grouping by user and anything else costs no further shuffle.
    """
    end = F.unix_micros(c.EVENT_TIME) / F.lit(1e6) + F.col(c.WATCHED_SECONDS)
    local_day = F.to_date(F.from_utc_timestamp(c.EVENT_TIME, time_zone))
    rows = events.repartition(c.USER_ID).withColumns({c.VIEW_DAY: local_day, LAST_END: end})
    return rows.groupBy(c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.VIEW_DAY).agg(
        F.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        F.min(c.EVENT_TIME).alias(c.FIRST_EVENT_TIME),
        F.max(c.EVENT_TIME).alias(c.LAST_EVENT_TIME),
        F.max(LAST_END).alias(LAST_END),
        exact_sum(F.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        F.max(c.IS_CLICK).alias(c.IS_CLICK),
        F.max(c.LOGGED_VALUED).alias(c.LOGGED_VALUED),
        F.max(F.to_date(c.DT)).alias(c.DT),
    )


def latest_views(view_values: DataFrame) -> DataFrame:
    """Of each view the row of the latest dt, which has all its seconds. The result is partitioned by user."""
    same_view = Window.partitionBy(c.USER_ID, c.CONTENT_ID, c.VIEW_DAY).orderBy(F.desc(c.DT))
    newest_first = F.row_number().over(same_view.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    numbered = view_values.repartition(c.USER_ID).withColumn(_ORDER, newest_first)
    return numbered.where(F.col(_ORDER) == 1).drop(_ORDER)


def in_window(frame: DataFrame, day: date, window_days: int) -> DataFrame:
    """The views of the `window_days` platform days that end with `day`."""
    first = day - timedelta(days=window_days - 1)
    return frame.where(F.col(c.VIEW_DAY).between(F.lit(first), F.lit(day)))


def played(frame: DataFrame) -> DataFrame:
    """Views with any seconds: an exposure that was not played is no watch."""
    return frame.where(F.col(c.WATCHED_SECONDS) > 0)
