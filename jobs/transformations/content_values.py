"""What the views of the window say of a content: a lower confidence bound of its mean value over distinct users.

One user has one voice u, counted with its weight w (`voices`). With n = sum of w, m = sum of w u / n, the mean M and
variance V of u over the content's kind, k = `prior_views`, n' and m' of all contents of its streamer and kind, and
ks = `streamer_prior_viewers`:

    streamer's mean = (n' m' + ks M) / (n' + ks)
    shrunk mean     = (n m + k streamer's mean) / (n + k)
    variance        = (sum of w (u - m)^2 + k V) / (n + k)
    lower bound     = shrunk mean - z sqrt(variance / (n + k)), within [0, 1]

A content that few have watched is thus believed to be an ordinary one of its streamer, with the doubt that goes with
it. The voice is user-relative only: compared with what the content itself usually gets, every content is ordinary.
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF
from jobs.transformations.voices import SQUARES, SUM

_KIND_MEAN, _KIND_VARIANCE, _STREAMER_MEAN = "mean_of_kind", "variance_of_kind", "mean_of_streamer"


def content_values(met: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """One row per content that was played; without `available_at`.

    Args:
        met: Cohorts, as `without_crowds` leaves them.
    """
    of_kind, of_streamer = _all_of(AS_OF, c.CONTENT_KIND), _all_of(AS_OF, c.CONTENT_KIND, c.STREAMER_ID)
    total, squares, count = (exact_sum(f.col(name), over=of_kind) for name in (SUM, SQUARES, c.EFFECTIVE_VIEWERS))
    kind_variance = f.greatest(f.lit(0.0), share(squares, count) - f.col(_KIND_MEAN) * f.col(_KIND_MEAN))
    with_kind = _contents(met).withColumn(_KIND_MEAN, share(total, count)).withColumn(_KIND_VARIANCE, kind_variance)
    prior = f.lit(valuation.streamer_prior_viewers)
    said, heard_by = (exact_sum(f.col(name), over=of_streamer) for name in (SUM, c.EFFECTIVE_VIEWERS))
    streamer_mean = (said + prior * f.col(_KIND_MEAN)) / (heard_by + prior)
    return with_kind.withColumn(_STREAMER_MEAN, streamer_mean).select(
        AS_OF,
        c.CONTENT_ID,
        c.CONTENT_KIND,
        c.STREAMER_ID,
        c.VIEWS,
        c.VIEWERS,
        c.EFFECTIVE_VIEWERS,
        c.CROWD_VIEWERS,
        share(f.col(SUM), f.col(c.EFFECTIVE_VIEWERS)).alias(c.MEAN_VALUE),
        _lower_bound(valuation).alias(c.VALUE_LOWER_BOUND),
    )


def _contents(met: DataFrame) -> DataFrame:
    crowd = f.when(f.col(c.WEIGHT_REASON).isNotNull(), f.col(c.VIEWERS)).otherwise(f.lit(0))
    return met.groupBy(c.CONTENT_ID, c.CONTENT_KIND, AS_OF).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.sum(c.VIEWS).alias(c.VIEWS),
        f.sum(c.VIEWERS).alias(c.VIEWERS),
        f.sum(crowd).alias(c.CROWD_VIEWERS),
        exact_sum(f.col(c.WEIGHT)).alias(c.EFFECTIVE_VIEWERS),
        *(exact_sum(f.col(name)).alias(name) for name in (SUM, SQUARES)),
    )


def _all_of(*keys: str) -> WindowSpec:
    return Window.partitionBy(*keys).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)


def _lower_bound(valuation: ValuationSettings) -> Column:
    count, prior = f.col(c.EFFECTIVE_VIEWERS), f.lit(valuation.prior_views)
    mean = (f.col(SUM) + prior * f.col(_STREAMER_MEAN)) / (count + prior)
    spread = f.greatest(f.lit(0.0), f.col(SQUARES) - share(f.col(SUM) * f.col(SUM), count))
    variance = (spread + prior * f.col(_KIND_VARIANCE)) / (count + prior)
    bound = mean - f.lit(valuation.confidence_z) * f.sqrt(variance / (count + prior))
    return f.greatest(f.lit(0.0), f.least(f.lit(1.0), bound))
