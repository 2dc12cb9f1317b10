"""First abuse rules: what a view counts in aggregates, with the name of the rule that lowered it.

Each rule bounds what one user's day can count in all; the smallest weight holds.

- impossible_seconds: a day has 86,400 s; a user's views of one day count as that many seconds together.
- overlapping_views: a user who watched more seconds than `overlap_tolerance` times the time from their first start to
  their last end ran several players; the views count as the elapsed time together.
- near_zero_burst: more than `near_zero_burst` skips in a day count as that many together.
- user_cap: more than `max_user_views_per_day` views count as that many together.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import WeightReason
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.views import LAST_END

_DAY_SECONDS: Final = 86_400.0


def with_weights(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Add `weight` and `weight_reason`; `views` must hold all views of the days it has."""
    limits = _limits(valuation)
    weight = f.least(f.lit(1.0), *limits.values())
    reason = f.coalesce(
        *(f.when(limit <= weight, f.lit(name.value)) for name, limit in limits.items()),
    )
    return views.withColumns({c.WEIGHT: weight, c.WEIGHT_REASON: f.when(weight < 1, reason)})


def _limits(valuation: ValuationSettings) -> dict[WeightReason, Column]:
    """The weight that each rule allows; above 1 it does not bind."""
    is_play = f.col(c.WATCHED_SECONDS) > 0
    is_skip = is_play & (f.col(c.WATCHED_SECONDS) <= f.lit(valuation.near_zero_seconds))
    seconds = exact_sum(f.col(c.WATCHED_SECONDS), over=_whole_day())
    start = f.min(c.FIRST_EVENT_TIME).over(_whole_day())
    elapsed = (f.max(LAST_END).over(_whole_day()) - f.unix_micros(start)) / f.lit(1e6)
    overlap = f.when(seconds > elapsed * f.lit(valuation.overlap_tolerance), elapsed / seconds)
    skips = f.count_if(is_skip).over(_whole_day())
    plays = f.count_if(is_play).over(_whole_day())
    return {
        WeightReason.IMPOSSIBLE_SECONDS: _at_most(_DAY_SECONDS, seconds),
        WeightReason.OVERLAPPING_VIEWS: f.coalesce(overlap, f.lit(1.0)),
        WeightReason.NEAR_ZERO_BURST: f.when(is_skip, _at_most(valuation.near_zero_burst, skips)).otherwise(f.lit(1.0)),
        WeightReason.USER_CAP: _at_most(valuation.max_user_views_per_day, plays),
    }


def _at_most(limit: float, found: Column) -> Column:
    return f.when(found > limit, f.lit(float(limit)) / found).otherwise(f.lit(1.0))


def _whole_day() -> WindowSpec:
    of_user = Window.partitionBy(c.USER_ID, c.VIEW_DAY)
    return of_user.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
