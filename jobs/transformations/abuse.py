"""First abuse rules: what a view counts in aggregates, with the name of the rule that lowered it.

Each rule bounds what one user's day can count in all; the smallest weight holds.

- impossible_seconds: a day has 86,400 s; a user's views of one day count as that many seconds together.
- overlapping_views: a user who watched more seconds than `overlap_tolerance` times the time from their first start to
  their last end ran several players; the views count as the elapsed time together.
- near_zero_burst: more than `near_zero_burst` skips in a day count as that many together.
- user_cap: more than `max_user_views_per_day` views count as that many together.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import WeightReason
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.views import LAST_END

_DAY_SECONDS: Final = 86_400.0
_SECONDS, _START, _END = "day_seconds", "day_start", "day_end"
_SKIPS, _PLAYS = "day_skips", "day_plays"


def with_weights(fresh: DataFrame, day_totals: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Add `weight` and `weight_reason`.

    Args:
        fresh: Views with the `as_of` of the partition that they go to.
        day_totals: As `day_totals` makes them, of all views of the same users and days.
    """
    of_day = fresh.join(day_totals.hint("shuffle_hash"), on=[c.USER_ID, c.VIEW_DAY, AS_OF], how="inner")
    weight = f.least(f.lit(1.0), *_limits(valuation).values())
    weighted = of_day.withColumn(c.WEIGHT, weight)
    reasons = (f.when(limit <= f.col(c.WEIGHT), f.lit(name.value)) for name, limit in _limits(valuation).items())
    reason = f.when(f.col(c.WEIGHT) < 1, f.coalesce(*reasons))
    return weighted.withColumn(c.WEIGHT_REASON, reason).drop(_SECONDS, _START, _END, _SKIPS, _PLAYS)


def day_totals(versions: DataFrame, days: Sequence[date], late_days: int, valuation: ValuationSettings) -> DataFrame:
    """What each user's day adds up to, as known on each day of the range on which a view of it can still change.

    Args:
        versions: As `views` makes them; they add up before they are spread over the days.
    """
    held = (c.USER_ID, c.VIEW_DAY, HELD_FROM, HELD_TO)
    changes_until = f.least(HELD_TO, f.date_add(c.VIEW_DAY, late_days))
    sums = (
        versions.withColumn(HELD_TO, changes_until)
        .groupBy(*held)
        .agg(
            exact_sum(f.col(c.WATCHED_SECONDS)).alias(_SECONDS),
            f.min(f.unix_micros(c.FIRST_EVENT_TIME)).alias(_START),
            f.max(LAST_END).alias(_END),
            f.count_if(_is_skip(valuation)).alias(_SKIPS),
            f.count_if(f.col(c.WATCHED_SECONDS) > 0).alias(_PLAYS),
        )
    )
    return (
        on_each_day(sums, days)
        .groupBy(c.USER_ID, c.VIEW_DAY, AS_OF)
        .agg(
            exact_sum(f.col(_SECONDS)).alias(_SECONDS),
            f.min(_START).alias(_START),
            f.max(_END).alias(_END),
            f.sum(_SKIPS).alias(_SKIPS),
            f.sum(_PLAYS).alias(_PLAYS),
        )
    )


def _limits(valuation: ValuationSettings) -> dict[WeightReason, Column]:
    """The weight that each rule allows; 1 where it does not bind."""
    seconds, elapsed = f.col(_SECONDS), (f.col(_END) - f.col(_START)) / f.lit(1e6)
    overlap = f.when(seconds > elapsed * f.lit(valuation.overlap_tolerance), elapsed / seconds).otherwise(f.lit(1.0))
    skips = f.when(_is_skip(valuation), _at_most(valuation.near_zero_burst, f.col(_SKIPS))).otherwise(f.lit(1.0))
    return {
        WeightReason.IMPOSSIBLE_SECONDS: _at_most(_DAY_SECONDS, seconds),
        WeightReason.OVERLAPPING_VIEWS: overlap,
        WeightReason.NEAR_ZERO_BURST: skips,
        WeightReason.USER_CAP: _at_most(valuation.max_user_views_per_day, f.col(_PLAYS)),
    }


def _is_skip(valuation: ValuationSettings) -> Column:
    seconds = f.col(c.WATCHED_SECONDS)
    return (seconds > 0) & (seconds <= f.lit(valuation.near_zero_seconds))


def _at_most(limit: float, found: Column) -> Column:
    return f.when(found > limit, f.lit(float(limit)) / found).otherwise(f.lit(1.0))
