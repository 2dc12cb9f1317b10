"""Abuse rules on a user's day: what its views count in aggregates, with the name of the rule that lowered them.

Each rule bounds what one user's day can count in all; the smallest weight holds.

- impossible_seconds: a day has 86,400 s; a user's views of one day count as that many seconds together.
- overlapping_views: a user who watched more seconds than `overlap_tolerance` times the time from their first start to
  their last end ran several players; the views count as the elapsed time together.
- idle_live: more than `max_live_hours_per_day` of live is a player left on; the live views count as that many hours.
- near_zero_burst: more than `near_zero_burst` skips in a day count as that many together.
- single_streamer: more than `max_single_streamer_views` views, all of one streamer, count as that many together.
- user_cap: more than `max_user_views_per_day` views count as that many together.

What one account says of a content, and what a crowd of new ones does, is judged in `voices`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, WeightReason
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.views import LAST_END

_DAY_SECONDS: Final = 86_400.0
_HOUR_SECONDS: Final = 3_600.0
_SECONDS, _LIVE_SECONDS, _START, _END = "day_seconds", "day_live_seconds", "day_start", "day_end"
_SKIPS, _PLAYS, _ONE_STREAMER, _OTHER_STREAMER = "day_skips", "day_plays", "day_streamer", "day_other_streamer"
_TOTALS: Final = (_SECONDS, _LIVE_SECONDS, _START, _END, _SKIPS, _PLAYS, _ONE_STREAMER, _OTHER_STREAMER)


def with_weights(fresh: DataFrame, day_totals: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Add `weight` and `weight_reason`.

    Args:
        fresh: Views with the `as_of` of the partition that they go to.
        day_totals: As `day_totals` makes them, of all views of the same users and days.
    """
    of_day = fresh.join(day_totals.hint("shuffle_hash"), on=[c.USER_ID, c.VIEW_DAY, AS_OF], how="inner")
    limits = _limits(valuation)
    weighted = of_day.withColumn(c.WEIGHT, f.least(f.lit(1.0), *limits.values()))
    reasons = (f.when(limit <= f.col(c.WEIGHT), f.lit(name.value)) for name, limit in limits.items())
    reason = f.when(f.col(c.WEIGHT) < 1, f.coalesce(*reasons))
    return weighted.withColumn(c.WEIGHT_REASON, reason).drop(*_TOTALS)


def day_totals(versions: DataFrame, days: Sequence[date], late_days: int, valuation: ValuationSettings) -> DataFrame:
    """What each user's day adds up to, as known on each day of the range on which a view of it can still change.

    Args:
        versions: As `views` makes them; they add up before they are spread over the days.
    """
    held = (c.USER_ID, c.VIEW_DAY, HELD_FROM, HELD_TO)
    changes_until = f.least(HELD_TO, f.date_add(c.VIEW_DAY, late_days))
    seconds, is_played = f.col(c.WATCHED_SECONDS), f.col(c.WATCHED_SECONDS) > 0
    streamer = f.when(is_played, f.col(c.STREAMER_ID))
    sums = (
        versions.withColumn(HELD_TO, changes_until)
        .groupBy(*held)
        .agg(
            exact_sum(seconds).alias(_SECONDS),
            exact_sum(f.when(_is_live(), seconds).otherwise(f.lit(0.0))).alias(_LIVE_SECONDS),
            f.min(f.unix_micros(c.FIRST_EVENT_TIME)).alias(_START),
            f.max(LAST_END).alias(_END),
            f.count_if(_is_skip(valuation)).alias(_SKIPS),
            f.count_if(is_played).alias(_PLAYS),
            f.min(streamer).alias(_ONE_STREAMER),
            f.max(streamer).alias(_OTHER_STREAMER),
        )
    )
    return (
        on_each_day(sums, days)
        .groupBy(c.USER_ID, c.VIEW_DAY, AS_OF)
        .agg(
            *(exact_sum(f.col(name)).alias(name) for name in (_SECONDS, _LIVE_SECONDS)),
            *(f.sum(name).alias(name) for name in (_SKIPS, _PLAYS)),
            *(f.min(name).alias(name) for name in (_START, _ONE_STREAMER)),
            *(f.max(name).alias(name) for name in (_END, _OTHER_STREAMER)),
        )
    )


def _limits(valuation: ValuationSettings) -> dict[WeightReason, Column]:
    """The weight that each rule allows; 1 where it does not bind."""
    one = f.lit(1.0)
    seconds, elapsed = f.col(_SECONDS), (f.col(_END) - f.col(_START)) / f.lit(1e6)
    live = _at_most(valuation.max_live_hours_per_day * _HOUR_SECONDS, f.col(_LIVE_SECONDS))
    fan = _at_most(valuation.max_single_streamer_views, f.col(_PLAYS))
    return {
        WeightReason.IMPOSSIBLE_SECONDS: _at_most(_DAY_SECONDS, seconds),
        WeightReason.OVERLAPPING_VIEWS: f.when(
            seconds > elapsed * f.lit(valuation.overlap_tolerance), elapsed / seconds
        ).otherwise(one),
        WeightReason.IDLE_LIVE: f.when(_is_live(), live).otherwise(one),
        WeightReason.NEAR_ZERO_BURST: f.when(
            _is_skip(valuation), _at_most(valuation.near_zero_burst, f.col(_SKIPS))
        ).otherwise(one),
        WeightReason.SINGLE_STREAMER: f.when(f.col(_ONE_STREAMER) == f.col(_OTHER_STREAMER), fan).otherwise(one),
        WeightReason.USER_CAP: _at_most(valuation.max_user_views_per_day, f.col(_PLAYS)),
    }


def _is_live() -> Column:
    return f.col(c.CONTENT_KIND) == f.lit(ContentKind.LIVE.value)


def _is_skip(valuation: ValuationSettings) -> Column:
    seconds = f.col(c.WATCHED_SECONDS)
    return (seconds > 0) & (seconds <= f.lit(valuation.near_zero_seconds))


def _at_most(limit: float, found: Column) -> Column:
    return f.when(found > limit, f.lit(float(limit)) / found).otherwise(f.lit(1.0))
