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
SUM: Final = "sum_of_voices"
SQUARES: Final = "sum_of_squares"
FIRST_SEEN: Final = "first_seen"
CROWD_FACTOR: Final = "crowd_factor"
_STREAMERS: Final = "streamers"
_YOUNG, _ALL, _EXPECTED, _SCAN = "young_weight", "all_weight", "expected_share", "scan"
_PLATFORM: Final = 0.5
_MET: Final = (AS_OF, c.CONTENT_ID, c.CONTENT_KIND, c.VIEW_DAY)
COHORT: Final = (*_MET, FIRST_SEEN)
"""What tells one cohort from another."""


def voices(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """One row per user and content with `voice`, `weight` and `first_seen`, crowds not yet found.

    Args:
        views: Latest views of the windows, partitioned by user, with `as_of`.
    """
    alone = _per_content(_with_accounts(played(views)))
    others = f.col(_STREAMERS) - f.lit(1)
    evidence = others / (others + f.lit(valuation.prior_streamers))
    return alone.withColumn(c.WEIGHT, f.col(c.WEIGHT) * evidence).drop(_STREAMERS)


def cohorts(heard: DataFrame) -> DataFrame:
    """The voices of accounts first seen on one day that met a content on one day, added up; partitioned by content.

    A crowd is made of whole cohorts, and of these a content has no more for having more viewers.

    Args:
        heard: As `voices` makes them.
    """
    said = f.col(c.WEIGHT) * f.col(VOICE)
    added = heard.groupBy(*COHORT).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.sum(c.VIEWS).alias(c.VIEWS),
        f.count(f.lit(1)).alias(c.VIEWERS),
        exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT),
        exact_sum(said).alias(SUM),
        exact_sum(said * f.col(VOICE)).alias(SQUARES),
    )
    return added.repartition(c.CONTENT_ID)


def without_crowds(met: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """The cohorts with `crowd_factor`, weight and sums lowered by it, and `weight_reason`.

    Args:
        met: As `cohorts` makes them; read twice, so worth persisting.
    """
    expected = f.broadcast(_expected_shares(met))
    shares = met.join(expected, on=[AS_OF, c.VIEW_DAY, FIRST_SEEN], how="inner").withColumns(
        {
            _YOUNG: exact_sum(f.col(c.WEIGHT), over=_from_youngest(*_MET)),
            _ALL: exact_sum(f.col(c.WEIGHT), _whole(*_MET)),
        }
    )
    scanned = shares.withColumn(_SCAN, f.max(_scan()).over(_whole(*_MET)))
    is_young = f.col(FIRST_SEEN) >= f.col(_SCAN)[FIRST_SEEN]
    is_crowd = (f.col(_SCAN)[_SCAN] > f.lit(valuation.crowd_evidence)) & is_young
    factor = f.when(is_crowd, f.least(f.lit(1.0), f.col(_SCAN)[CROWD_FACTOR])).otherwise(f.lit(1.0))
    lowered = {name: f.col(name) * f.col(CROWD_FACTOR) for name in (c.WEIGHT, SUM, SQUARES)}
    reason = f.when(f.col(CROWD_FACTOR) < 1, f.lit(WeightReason.NEWCOMER_CROWD.value))
    weighed = scanned.withColumn(CROWD_FACTOR, factor).withColumns({**lowered, c.WEIGHT_REASON: reason})
    return weighed.drop(_EXPECTED, _YOUNG, _ALL, _SCAN)


def _with_accounts(views: DataFrame) -> DataFrame:
    """Add what the account did in the window; `views` is partitioned by user, so nothing is shuffled."""
    account = Window.partitionBy(c.USER_ID, AS_OF).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    streamers = f.size(f.collect_set(c.STREAMER_ID).over(account))
    return views.withColumns({_STREAMERS: streamers, FIRST_SEEN: f.min(c.VIEW_DAY).over(account)})


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
        f.max(FIRST_SEEN).alias(FIRST_SEEN),
    )


def _expected_shares(met: DataFrame) -> DataFrame:
    """Share of each day's voices on the platform that accounts first seen on a day or later have: days x days rows."""
    platform = met.groupBy(AS_OF, c.VIEW_DAY, FIRST_SEEN).agg(exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT))
    day = (AS_OF, c.VIEW_DAY)
    young = exact_sum(f.col(c.WEIGHT), over=_from_youngest(*day))
    return platform.select(
        *day, FIRST_SEEN, share(young, exact_sum(f.col(c.WEIGHT), over=_whole(*day))).alias(_EXPECTED)
    )


def _scan() -> Column:
    """The statistic of the accounts as young as this row's or younger, with where they begin and their factor."""
    young, everybody, expected = f.col(_YOUNG), f.col(_ALL), f.col(_EXPECTED)
    others = everybody - young
    is_many = (young > expected * everybody) & (expected > 0) & (expected < f.lit(_PLATFORM))
    rest = f.when(others > 0, others * f.log(others / ((f.lit(1.0) - expected) * everybody))).otherwise(f.lit(0.0))
    statistic = f.when(is_many, young * f.log(young / (expected * everybody)) + rest).otherwise(f.lit(0.0))
    factor = f.when(is_many, others * expected / (f.lit(1.0) - expected) / young).otherwise(f.lit(1.0))
    return f.struct(statistic.alias(_SCAN), f.col(FIRST_SEEN), factor.alias(CROWD_FACTOR))


def _from_youngest(*keys: str) -> WindowSpec:
    return _ordered(*keys).rowsBetween(Window.unboundedPreceding, Window.currentRow)


def _whole(*keys: str) -> WindowSpec:
    """Ordered as `_from_youngest` is, though it need not be: Spark then sorts once for both."""
    return _ordered(*keys).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)


def _ordered(*keys: str) -> WindowSpec:
    return Window.partitionBy(*keys).orderBy(f.desc(FIRST_SEEN))
