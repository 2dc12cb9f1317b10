"""What each account says of a content, and how far it is believed.

An account has one voice per content: u = the weighted mean over its views of 1 / (1 + exp(-user_relative)). It counts

    w = (mean weight of the views) * (S - 1) / (S - 1 + p) * crowd factor

with S = the streamers that the account watched in the window and p = `prior_streamers`. An account that watched one
streamer only gives nothing to compare with, and counts 0 here: bots that come for one content or one streamer weigh
nothing however many they are. This is evidence, not blame; it has no name of a rule.

newcomer_crowd: accounts that came to the platform at the same time and met on one content on one day. Of the voices of
that day, N in weight, g belong to accounts first seen in the window on day a or later; on the whole platform such
accounts are a share q of the day's voices. Over all a, the scan statistic (Kulldorff, 1997) is the largest

    g log(g / (q N)) + (N - g) log((N - g) / ((1 - q) N)),   for g > q N and q below one half

Above `crowd_evidence` the crowd is no chance, and counts what the others' voices let expect: the factor is
(N - g) q / (1 - q) / g, at most 1. It names no size of a crowd, only how unlikely it is: few accounts that behave like
anybody for days before they act together stay below it.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import WeightReason
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF
from jobs.transformations.view_valuation import logistic
from jobs.transformations.views import played

VOICE: Final = "voice"
_FIRST_SEEN, _STREAMERS = "first_seen", "streamers"
_YOUNG, _ALL, _EXPECTED, _SCAN, _FACTOR = "young_weight", "all_weight", "expected_share", "scan", "crowd_factor"
_PLATFORM: Final = 0.5


def voices(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """One row per user and content with `voice`, `weight` and `first_seen`, crowds not yet found; by content.

    Args:
        views: Latest views of the windows, partitioned by user, with `as_of`.
    """
    alone = _per_content(_with_accounts(played(views)))
    others = f.col(_STREAMERS) - f.lit(1)
    evidence = others / (others + f.lit(valuation.prior_streamers))
    believed = alone.withColumn(c.WEIGHT, f.col(c.WEIGHT) * evidence).drop(_STREAMERS)
    return believed.repartition(c.CONTENT_ID)


def without_crowds(heard: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """The voices with the weight of those in a crowd lowered, and `weight_reason`.

    Args:
        heard: As `voices` makes them; read twice, so worth persisting.
    """
    met = (AS_OF, c.CONTENT_ID, c.CONTENT_KIND, c.VIEW_DAY)
    expected = f.broadcast(_expected_shares(heard))
    shares = heard.join(expected, on=[AS_OF, c.VIEW_DAY, _FIRST_SEEN], how="inner").withColumns(
        {_YOUNG: exact_sum(f.col(c.WEIGHT), over=_from_youngest(*met)), _ALL: exact_sum(f.col(c.WEIGHT), _whole(*met))}
    )
    scanned = shares.withColumn(_SCAN, f.max(_scan()).over(_whole(*met)))
    is_young = f.col(_FIRST_SEEN) >= f.col(_SCAN)[_FIRST_SEEN]
    is_crowd = (f.col(_SCAN)[_SCAN] > f.lit(valuation.crowd_evidence)) & is_young
    factor = f.when(is_crowd, f.least(f.lit(1.0), f.col(_SCAN)[_FACTOR])).otherwise(f.lit(1.0))
    reason = f.when(f.col(_FACTOR) < 1, f.lit(WeightReason.NEWCOMER_CROWD.value))
    weighed = scanned.withColumn(_FACTOR, factor).withColumns(
        {c.WEIGHT: f.col(c.WEIGHT) * f.col(_FACTOR), c.WEIGHT_REASON: reason}
    )
    return weighed.drop(_FIRST_SEEN, _EXPECTED, _YOUNG, _ALL, _SCAN, _FACTOR)


def _with_accounts(views: DataFrame) -> DataFrame:
    """Add what the account did in the window; `views` is partitioned by user, so nothing is shuffled."""
    account = Window.partitionBy(c.USER_ID, AS_OF).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    streamers = f.size(f.collect_set(c.STREAMER_ID).over(account))
    return views.withColumns({_STREAMERS: streamers, _FIRST_SEEN: f.min(c.VIEW_DAY).over(account)})


def _per_content(views: DataFrame) -> DataFrame:
    said = exact_sum(f.col(c.WEIGHT) * logistic(f.col(c.USER_RELATIVE)))
    weight = exact_sum(f.col(c.WEIGHT))
    return views.groupBy(c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, AS_OF).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.min(c.VIEW_DAY).alias(c.VIEW_DAY),
        f.count(f.lit(1)).alias(c.VIEWS),
        share(said, weight).alias(VOICE),
        (weight / f.count(f.lit(1))).alias(c.WEIGHT),
        f.max(_STREAMERS).alias(_STREAMERS),
        f.max(_FIRST_SEEN).alias(_FIRST_SEEN),
    )


def _expected_shares(heard: DataFrame) -> DataFrame:
    """Share of each day's voices on the platform that accounts first seen on a day or later have: days x days rows."""
    cohorts = heard.groupBy(AS_OF, c.VIEW_DAY, _FIRST_SEEN).agg(exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT))
    day = (AS_OF, c.VIEW_DAY)
    young = exact_sum(f.col(c.WEIGHT), over=_from_youngest(*day))
    return cohorts.select(
        *day, _FIRST_SEEN, share(young, exact_sum(f.col(c.WEIGHT), over=_whole(*day))).alias(_EXPECTED)
    )


def _scan() -> Column:
    """The statistic of the accounts as young as this row's or younger, with where they begin and their factor."""
    young, everybody, expected = f.col(_YOUNG), f.col(_ALL), f.col(_EXPECTED)
    others = everybody - young
    is_many = (young > expected * everybody) & (expected > 0) & (expected < f.lit(_PLATFORM))
    rest = f.when(others > 0, others * f.log(others / ((f.lit(1.0) - expected) * everybody))).otherwise(f.lit(0.0))
    statistic = f.when(is_many, young * f.log(young / (expected * everybody)) + rest).otherwise(f.lit(0.0))
    factor = f.when(is_many, others * expected / (f.lit(1.0) - expected) / young).otherwise(f.lit(1.0))
    return f.struct(statistic.alias(_SCAN), f.col(_FIRST_SEEN), factor.alias(_FACTOR))


def _from_youngest(*keys: str) -> WindowSpec:
    ordered = Window.partitionBy(*keys).orderBy(f.desc(_FIRST_SEEN))
    return ordered.rangeBetween(Window.unboundedPreceding, Window.currentRow)


def _whole(*keys: str) -> WindowSpec:
    return Window.partitionBy(*keys).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
