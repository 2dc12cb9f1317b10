"""First abuse rules: what a view counts in aggregates, with the name of the rule that lowered it.

Each rule bounds what one user's day can count in all; the smallest weight holds.

- impossible_seconds: a day has 86,400 s; a user's views of one day count as that many seconds together.
- overlapping_views: a user who watched more seconds than `overlap_tolerance` times the time from their first start to
  their last end ran several players; the views count as the elapsed time together.
- near_zero_burst: more than `near_zero_burst` skips in a day count as that many together.
- user_cap: more than `max_user_views_per_day` views count as that many together.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import WeightReason
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.views import LAST_END

_DAY_SECONDS: Final = 86_400.0
_SECONDS, _START, _END = "day_seconds", "day_start", "day_end"
_SKIPS, _PLAYS = "day_skips", "day_plays"


def with_weights(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Add `weight` and `weight_reason`; `views` must hold all views of the days it has."""
    # Step by step: a window expression inside another expression is computed as often as it is mentioned.
    of_day = views.withColumns(_day_totals(valuation))
    weight = f.least(f.lit(1.0), *_limits(valuation).values())
    weighted = of_day.withColumn(c.WEIGHT, weight)
    reasons = (f.when(limit <= f.col(c.WEIGHT), f.lit(name.value)) for name, limit in _limits(valuation).items())
    reason = f.when(f.col(c.WEIGHT) < 1, f.coalesce(*reasons))
    return weighted.withColumn(c.WEIGHT_REASON, reason).drop(_SECONDS, _START, _END, _SKIPS, _PLAYS)


def _day_totals(valuation: ValuationSettings) -> dict[str, Column]:
    of_user = Window.partitionBy(c.USER_ID, c.VIEW_DAY)
    whole_day = of_user.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    return {
        _SECONDS: exact_sum(f.col(c.WATCHED_SECONDS), over=whole_day),
        _START: f.min(f.unix_micros(c.FIRST_EVENT_TIME)).over(whole_day),
        _END: f.max(LAST_END).over(whole_day),
        _SKIPS: f.count_if(_is_skip(valuation)).over(whole_day),
        _PLAYS: f.count_if(f.col(c.WATCHED_SECONDS) > 0).over(whole_day),
    }


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
