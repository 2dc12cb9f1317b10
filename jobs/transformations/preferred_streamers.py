"""Whom a user prefers: the streamers of the highest score, see `preference_state`.

A list changes only when its user comes: decay keeps the order. The new list's streamers are among those of the old one
and those whose score has just grown, so that no other pair is read. Whoever has fewer than `min_views` views of
anything, or no streamer of `min_score`, gets no preferred streamers rather than noise: judged on the day of reading.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import PreferenceSettings
from jobs.transformations.arithmetic import decay
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.preference_state import ADDED, UNITS_PER_SCORE, NewDays

_DAY_ZERO: Final = date(1970, 1, 1).toordinal()
_PLACES, _PLACE, _LOSS, _OLD, _CHANGED_ON = "places", "place", "units_below_zero", "old", "changed_on"


def preferred_streamers(changed: DataFrame, old: DataFrame | None, new: NewDays) -> DataFrame:
    """The lists of the users who came, and `as_of`; without `available_at`.

    Args:
        changed: Rows of the state, see `preference_state.totals`, partitioned by user.
        old: As `newest_lists` makes it, of the days before the first; None where `changed` has all pairs.
    """
    came = _of_days(changed, new.days)
    views, places = f.col(c.VIEWS), f.col(_PLACES)
    if old is not None:
        came = came.join(old, on=c.USER_ID, how="left")
        views = views + f.coalesce(f.col(_OLD)[c.VIEWS], f.lit(0))
        places = f.concat(places, f.coalesce(_unchanged(places), f.slice(places, 1, 0)))
    best = f.slice(f.sort_array(places), 1, new.preferences.list_length)
    return came.select(AS_OF, c.USER_ID, views.alias(c.VIEWS), best.alias(_PLACES)).select(
        AS_OF,
        c.USER_ID,
        c.VIEWS,
        f.col(_PLACES)[c.STREAMER_ID].alias(c.STREAMER_IDS),
        f.transform(f.col(_PLACES)[_LOSS], lambda loss: -loss).alias(c.UNITS),
        f.col(_PLACES)[c.LAST_VIEW_DAY].alias(c.LAST_VIEW_DAYS),
    )


def newest_lists(lists: DataFrame) -> DataFrame:
    """user and the newest of the user's lists, out of partitions of one period."""
    whole = f.struct(c.VIEWS, c.STREAMER_IDS, c.UNITS, c.LAST_VIEW_DAYS)
    return lists.repartition(c.USER_ID).groupBy(c.USER_ID).agg(f.max_by(whole, c.DT).alias(_OLD))


def preferred_on(lists: DataFrame, preferences: PreferenceSettings) -> DataFrame:
    """user, streamer, rank, score and last view day on each day, with `as_of`, of everybody with enough evidence.

    Args:
        lists: The list of each user that holds on each day, with `as_of`.
    """
    place = f.posexplode(f.arrays_zip(c.STREAMER_IDS, c.UNITS, c.LAST_VIEW_DAYS)).alias(c.POSITION, _PLACE)
    places = lists.where(f.col(c.VIEWS) >= preferences.min_views).select(AS_OF, c.USER_ID, place)
    today = decay(_day_of_period(f.col(AS_OF), preferences), preferences.half_life_days)
    score = f.col(_PLACE)[c.UNITS] / f.lit(UNITS_PER_SCORE) * today
    return places.select(
        AS_OF,
        c.USER_ID,
        f.col(_PLACE)[c.STREAMER_IDS].alias(c.STREAMER_ID),
        (f.col(c.POSITION) + 1).alias(c.RANK),
        score.alias(c.SCORE),
        f.col(_PLACE)[c.LAST_VIEW_DAYS].alias(c.LAST_VIEW_DAY),
    ).where(f.col(c.SCORE) >= f.lit(preferences.min_score))


def lists_on_each_day(lists: DataFrame, days: Sequence[date], preferences: PreferenceSettings) -> DataFrame:
    """The newest list of each user on each day, with `as_of`.

    Args:
        lists: `preferred_streamer_v2` of the days' periods, with `dt`.
    """
    day = f.to_date(c.DT)
    end = f.date_add(day, f.lit(preferences.full_every_days - 1) - _day_of_period(day, preferences))
    newer = f.lead(c.DT).over(Window.partitionBy(c.USER_ID).orderBy(c.DT))
    until = f.least(end, f.date_sub(f.to_date(newer), 1))  # passes over null: no newer list
    return on_each_day(lists.withColumns({HELD_FROM: day, HELD_TO: until}), days)


def _of_days(changed: DataFrame, days: Sequence[date]) -> DataFrame:
    """Per day and user who came that day: the pairs changed up to then, and how many views were added to them."""
    loss = -f.col(c.UNITS)
    place = f.struct(loss.alias(_LOSS), c.STREAMER_ID, c.LAST_VIEW_DAY)  # sorts by units, highest first, then by id
    found = (f.sum(ADDED).alias(c.VIEWS), f.collect_list(place).alias(_PLACES))
    if len(days) == 1:
        return changed.groupBy(c.USER_ID, AS_OF).agg(*found)
    newer = f.lead(AS_OF).over(Window.partitionBy(c.USER_ID, c.STREAMER_ID).orderBy(AS_OF))
    held = {
        HELD_FROM: f.col(AS_OF),
        HELD_TO: f.coalesce(f.date_sub(newer, 1), f.lit(days[-1])),
        _CHANGED_ON: f.col(AS_OF),
    }
    known = on_each_day(changed.withColumns(held).drop(AS_OF), days)
    came = f.max(f.col(_CHANGED_ON) == f.col(AS_OF)).alias(_CHANGED_ON)
    return known.groupBy(c.USER_ID, AS_OF).agg(*found, came).where(_CHANGED_ON)


def _unchanged(places: Column) -> Column:
    """Places of the old list whose streamers are not among those of `places`."""
    losses = f.transform(f.col(_OLD)[c.UNITS], lambda units: -units)
    columns = (losses, f.col(_OLD)[c.STREAMER_IDS], f.col(_OLD)[c.LAST_VIEW_DAYS])
    shape = f"array<struct<{_LOSS}: bigint, {c.STREAMER_ID}: bigint, {c.LAST_VIEW_DAY}: date>>"
    old = f.arrays_zip(*columns).cast(shape)
    return f.filter(old, lambda place: ~f.array_contains(places[c.STREAMER_ID], place[c.STREAMER_ID]))


def _day_of_period(day: Column, preferences: PreferenceSettings) -> Column:
    """0 for the first day of a period, see `contracts.clock.period_start`."""
    return f.pmod(f.unix_date(day) + f.lit(_DAY_ZERO), f.lit(preferences.full_every_days))
