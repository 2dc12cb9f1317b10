"""What every user's views of every streamer add up to, kept so that a day costs a day.

    growth(day) = 2^((day - start) / half-life)
    units(u, s) = sum over u's views of s of  kind weight * log(1 + seconds / saturation) * growth(day)
                + day weight * sum over the distinct days that u came to s of  growth(day)

This is forward decay (Cormode et al., ICDE 2009): a view's share grows with its day instead of shrinking with its age,
so that a sum stays valid while nobody comes, and so does a user's order. Divided by today's growth it is today's score.
Shares are rounded to whole units of 1e-12: whole numbers add up to the same sum in any order, whether a day is added to
the state, a range of days together, or all days of the log.

`start` is the first day of the period of `full_every_days` that a partition stands in. The first partition of a period
carries every pair over, in units of the new start; the others hold the pairs that changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.clock import period_start
from contracts.settings import PreferenceSettings
from jobs.transformations.arithmetic import decay
from jobs.transformations.as_of import AS_OF, HELD_FROM

UNITS_PER_SCORE: Final = 1e12
ADDED: Final = "added_views"
"""Views that the days being computed have added to a pair so far."""
_PAIR: Final = (c.USER_ID, c.STREAMER_ID)
_AFTER, _BEFORE, _KNOWN = "seconds_after", "seconds_before", "known_"


@dataclass(frozen=True)
class NewDays:
    """The days that are added to a state, all of one period.

    Args:
        first: The day after the state's last: what came since is added to `days[0]`.
        days: Consecutive days for which rows are wanted, oldest first.
    """

    first: date
    days: Sequence[date]
    preferences: PreferenceSettings

    @property
    def start(self) -> date:
        return period_start(self.days[0], self.preferences.full_every_days)


def punctual_views(view_values: DataFrame, new: NewDays, displaced: DataFrame | None = None) -> DataFrame:
    """Views whose partition is their day: all their seconds are new.

    Args:
        displaced: As `displaced_days` makes them, where there are any.
    """
    rows = view_values.where(f.col(c.DT) >= f.lit(new.first.isoformat())).withColumn(AS_OF, f.col(c.VIEW_DAY))
    if displaced is not None:
        rows = rows.where(f.to_date(c.DT) == f.col(c.VIEW_DAY))
        rows = rows.join(displaced, on=[c.USER_ID, c.VIEW_DAY, AS_OF], how="left_anti")
    return rows.select(*_PAIR, c.VIEW_DAY, AS_OF, c.CONTENT_KIND, *_seconds(f.col(c.WATCHED_SECONDS), f.lit(0.0)))


def displaced_days(view_values: DataFrame, new: NewDays) -> DataFrame:
    """user, view day and the day on which views of that day became known, where partition and view day differ.

    Rows come late, and a fast clock dates a view a day ahead, which counts from that day on. May repeat itself.
    """
    is_new = f.col(AS_OF).between(f.lit(new.first), f.lit(new.days[-1]))
    elsewhere = _held(view_values).where(f.to_date(c.DT) != f.col(c.VIEW_DAY))
    return elsewhere.select(c.USER_ID, c.VIEW_DAY, f.col(HELD_FROM).alias(AS_OF)).where(is_new)


def displaced_views(view_values: DataFrame, displaced: DataFrame) -> DataFrame:
    """Every view of the displaced days, with its seconds after and before the day on which they changed.

    A later version of a view has all the seconds of those before it, so that the longest is the newest.
    """
    known = f.col(HELD_FROM) <= f.col(AS_OF)
    seconds = f.col(c.WATCHED_SECONDS)
    before = f.max(f.when(f.col(HELD_FROM) < f.col(AS_OF), seconds))
    return (
        _held(view_values)
        .join(displaced, on=[c.USER_ID, c.VIEW_DAY], how="inner")
        .where(known)
        .groupBy(*_PAIR, c.CONTENT_ID, c.VIEW_DAY, AS_OF, c.CONTENT_KIND)
        .agg(*_seconds(f.max(seconds), f.coalesce(before, f.lit(0.0))))
        .drop(c.CONTENT_ID)
    )


def changes(views: DataFrame, new: NewDays) -> DataFrame:
    """What each day adds to each pair, with `as_of`; the result is partitioned by user.

    Args:
        views: Punctual and displaced ones together.
    """
    after, before = f.col(_AFTER), f.col(_BEFORE)
    gained = _units(after, new) - _units(before, new)
    of_day = (
        views.where(after > 0)
        .repartition(c.USER_ID)
        .groupBy(*_PAIR, c.VIEW_DAY, AS_OF)
        .agg(
            f.sum(gained).alias(c.UNITS),
            f.count_if(before == 0).alias(c.VIEWS),
            (f.max(before) == 0).cast("long").alias(c.DISTINCT_DAYS),
        )
    )
    bonus = _fixed(f.lit(new.preferences.day_weight) * _growth(new))
    units = f.col(c.UNITS) + f.col(c.DISTINCT_DAYS) * bonus
    day = f.greatest(AS_OF, f.lit(new.days[0]))
    return _summed(of_day.withColumns({c.UNITS: units, c.LAST_VIEW_DAY: f.col(c.VIEW_DAY), AS_OF: day}))


def carried_over(state: DataFrame, since: date, new: NewDays) -> DataFrame:
    """The pairs of the periods before as changes of the first day: in its units, without those to be forgotten.

    Args:
        state: Partitions of the period before, partitioned by user or not.
        since: First day of that period.
    """
    half_life = new.preferences.half_life_days
    shrunk = f.rint(f.col(c.UNITS) * f.lit(2.0 ** (-(new.start - since).days / half_life))).cast("long")
    age = f.datediff(f.lit(new.days[0]), c.LAST_VIEW_DAY)
    pairs = newest(state.repartition(c.USER_ID)).where(age < new.preferences.retention_days)
    return pairs.withColumns({c.UNITS: shrunk, AS_OF: f.lit(new.days[0])})


def with_carried(changes: DataFrame, carried: DataFrame) -> DataFrame:
    """What a full partition is made of."""
    return _summed(changes.unionByName(carried))


def newest(state: DataFrame) -> DataFrame:
    """One row per pair out of partitions of one period: sums only grow, so that the largest are the newest."""
    names = (c.UNITS, c.VIEWS, c.DISTINCT_DAYS, c.LAST_VIEW_DAY)
    return state.groupBy(*_PAIR).agg(*(f.max(name).alias(name) for name in names))


def totals(changes: DataFrame, known: DataFrame | None, new: NewDays) -> DataFrame:
    """Rows of the state, with `as_of` and `added_views`: the pairs that each day changed.

    Args:
        known: The newest row of those pairs before the first day, partitioned by user; None where all are in `changes`.
    """
    names = (c.UNITS, c.VIEWS, c.DISTINCT_DAYS)
    so_far = changes
    if len(new.days) > 1:
        until = Window.partitionBy(*_PAIR).orderBy(AS_OF).rowsBetween(Window.unboundedPreceding, Window.currentRow)
        last = f.max(c.LAST_VIEW_DAY).over(until)
        so_far = changes.withColumns({**{name: f.sum(name).over(until) for name in names}, c.LAST_VIEW_DAY: last})
    so_far = so_far.withColumn(ADDED, f.col(c.VIEWS))
    if known is None:
        return so_far
    before = known.select(*_PAIR, *(f.col(name).alias(_KNOWN + name) for name in (*names, c.LAST_VIEW_DAY)))
    whole = {name: f.col(name) + f.coalesce(_KNOWN + name, f.lit(0)) for name in names}
    latest = f.greatest(c.LAST_VIEW_DAY, _KNOWN + c.LAST_VIEW_DAY)  # passes over null
    joined = so_far.join(before.hint("shuffle_hash"), on=list(_PAIR), how="left")
    return joined.select(
        AS_OF, *_PAIR, *(whole[name].alias(name) for name in names), latest.alias(c.LAST_VIEW_DAY), ADDED
    )


def _summed(changes: DataFrame) -> DataFrame:
    sums = (f.sum(name).alias(name) for name in (c.UNITS, c.VIEWS, c.DISTINCT_DAYS))
    return changes.groupBy(*_PAIR, AS_OF).agg(*sums, f.max(c.LAST_VIEW_DAY).alias(c.LAST_VIEW_DAY))


def _held(view_values: DataFrame) -> DataFrame:
    return view_values.withColumn(HELD_FROM, f.greatest(f.to_date(c.DT), c.VIEW_DAY))


def _seconds(after: Column, before: Column) -> tuple[Column, Column]:
    return after.alias(_AFTER), before.alias(_BEFORE)


def _units(seconds: Column, new: NewDays) -> Column:
    concave = f.log1p(seconds / f.lit(new.preferences.saturation_seconds))
    return _fixed(_kind_weight(new.preferences) * concave * _growth(new))


def _fixed(score: Column) -> Column:
    return f.rint(score * f.lit(UNITS_PER_SCORE)).cast("long")


def _growth(new: NewDays) -> Column:
    return decay(f.datediff(f.lit(new.start), c.VIEW_DAY), new.preferences.half_life_days)


def _kind_weight(preferences: PreferenceSettings) -> Column:
    kind = f.col(c.CONTENT_KIND)
    weight = f.lit(0.0)
    for name, value in preferences.kind_weights.items():
        weight = f.when(kind == f.lit(name.value), f.lit(value)).otherwise(weight)
    return weight
