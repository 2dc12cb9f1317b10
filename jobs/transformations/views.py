"""Watch rows to views, the base of every formula: how a log cuts a visit into rows must not matter."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day

LAST_END: Final = "last_end"
_KEY: Final = (c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.VIEW_DAY)
_NEWER, _LEFT, _RIGHT = "newer_dt", "stored", "newer"


def views(events: DataFrame, time_zone: str, window_days: int, since: date | None = None) -> DataFrame:
    """The watch rows of one (user, content, platform day) added up: one row per version of the view.

    A late row makes a new version. The version of partition `dt` has all rows up to that partition; it holds until the
    next one and while the view's day is one of `window_days`. `last_end` is when the last row ended, in unix
    microseconds. The result is partitioned by user: grouping by user and anything else costs no further shuffle.

    Args:
        since: Earlier view days are left out.
    """
    end = f.unix_micros(c.EVENT_TIME) + f.rint(f.col(c.WATCHED_SECONDS) * f.lit(1e6)).cast("long")
    wanted = _dated(events, time_zone)
    if since is not None:  # a fast clock dates a row a day ahead of its partition; older ones need not be read
        wanted = wanted.where((f.to_date(c.DT) >= f.date_sub(f.lit(since), 1)) & (f.col(c.VIEW_DAY) >= f.lit(since)))
    rows = wanted.repartition(c.USER_ID).withColumn(LAST_END, end)
    parts = rows.groupBy(*_KEY, f.to_date(c.DT).alias(c.DT)).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.min(c.EVENT_TIME).alias(c.FIRST_EVENT_TIME),
        f.max(c.EVENT_TIME).alias(c.LAST_EVENT_TIME),
        f.max(LAST_END).alias(LAST_END),
        exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS),
        f.max(c.IS_CLICK).alias(c.IS_CLICK),
        f.max(c.LOGGED_VALUED).alias(c.LOGGED_VALUED),
    )
    return _held(_added_up(parts), window_days)


def settled_views(events: DataFrame, time_zone: str, window_days: int, before: date) -> DataFrame:
    """The views of days of which no row can come any more: their seconds, and how long they are in a window.

    These are most of a window, and one version each without a history: adding them up is a fraction of the work. The
    result is partitioned by user.

    Args:
        before: The first day of which rows can still come.
    """
    rows = _dated(events, time_zone).where(f.col(c.VIEW_DAY) < f.lit(before)).repartition(c.USER_ID)
    whole = rows.groupBy(*_KEY).agg(exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS))
    return whole.withColumns({HELD_FROM: f.col(c.VIEW_DAY), HELD_TO: f.date_add(c.VIEW_DAY, window_days - 1)})


def _dated(events: DataFrame, time_zone: str) -> DataFrame:
    return events.withColumn(c.VIEW_DAY, f.to_date(f.from_utc_timestamp(c.EVENT_TIME, time_zone)))


def _added_up(parts: DataFrame) -> DataFrame:
    """Each part with those of earlier partitions, and the partition of the next."""
    ordered = Window.partitionBy(*_KEY).orderBy(c.DT)
    so_far = ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    latest = (c.STREAMER_ID, c.LAST_EVENT_TIME, LAST_END, c.IS_CLICK, c.LOGGED_VALUED)
    return parts.select(
        *_KEY,
        c.DT,
        *(f.max(name).over(so_far).alias(name) for name in latest),
        f.min(c.FIRST_EVENT_TIME).over(so_far).alias(c.FIRST_EVENT_TIME),
        exact_sum(f.col(c.WATCHED_SECONDS), over=so_far).alias(c.WATCHED_SECONDS),
        f.lead(c.DT).over(ordered).alias(_NEWER),
    )


def _held(versions: DataFrame, window_days: int) -> DataFrame:
    last = f.date_add(c.VIEW_DAY, window_days - 1)
    until = f.least(last, f.date_sub(_NEWER, 1))  # least passes over null: no newer version
    return versions.withColumns({HELD_FROM: f.col(c.DT), HELD_TO: until}).drop(_NEWER)


def latest_views(view_values: DataFrame, days: Sequence[date], window_days: int) -> DataFrame:
    """The views of the window that ends with each day, as known on that day: partitioned by user, with `as_of`.

    Of each view the row of the latest dt counts, which has all its seconds. Only a row that came after its day can
    supersede another: these are few, so that the join is a look-up where ranking every view by its dt would be a sort.
    """
    held = {
        HELD_FROM: f.greatest(f.to_date(c.DT), c.VIEW_DAY),
        HELD_TO: f.date_add(c.VIEW_DAY, window_days - 1),
    }
    spread = on_each_day(view_values.repartition(c.USER_ID).withColumns(held), days)
    late = view_values.where(f.to_date(c.DT) > f.col(c.VIEW_DAY)).repartition(c.USER_ID)
    newer = late.select(c.USER_ID, c.CONTENT_ID, c.VIEW_DAY, f.col(c.DT).alias(_NEWER)).hint("shuffle_hash")
    same_view = [f.col(f"{_LEFT}.{key}") == f.col(f"{_RIGHT}.{key}") for key in (c.USER_ID, c.CONTENT_ID, c.VIEW_DAY)]
    came_since = (f.col(c.DT) < f.col(_NEWER)) & (f.to_date(_NEWER) <= f.col(AS_OF))
    return spread.alias(_LEFT).join(newer.alias(_RIGHT), on=[*same_view, came_since], how="left_anti")


def played(frame: DataFrame) -> DataFrame:
    """Views with any seconds: an exposure that was not played is no watch."""
    return frame.where(f.col(c.WATCHED_SECONDS) > 0)
