"""What the views of the window say of a content: a lower confidence bound of its mean value over distinct users.

One user has one voice: u = the weighted mean of their views' values, counted with w = their views' mean weight (at
most 1). With n = sum of w, the content's mean m = sum of w u / n, and the mean M and variance V of u over all contents:

    shrunk mean  = (n m + k M) / (n + k)
    variance     = (sum of w (u - m)^2 + k V) / (n + k)
    lower bound  = shrunk mean - z sqrt(variance / (n + k)), within [0, 1]

A content that few have watched is thus believed to be an ordinary one, with the doubt that goes with it.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF

_VOICE, _SQUARES, _COUNT = "voice", "sum_of_squares", "count_of_voices"
_OVERALL_MEAN, _OVERALL_VARIANCE = "overall_mean", "overall_variance"


def content_values(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """One row per content; without `available_at`."""
    contents = _contents(_voices(views))
    prior = f.lit(valuation.prior_views)
    total = f.col(_COUNT) + prior
    spread = f.greatest(f.lit(0.0), f.col(_SQUARES) - f.col(_COUNT) * f.col(c.MEAN_VALUE) * f.col(c.MEAN_VALUE))
    mean = (f.col(_COUNT) * f.col(c.MEAN_VALUE) + prior * f.col(_OVERALL_MEAN)) / total
    variance = (spread + prior * f.col(_OVERALL_VARIANCE)) / total
    bound = mean - f.lit(valuation.confidence_z) * f.sqrt(variance / total)
    bounded = f.greatest(f.lit(0.0), f.least(f.lit(1.0), bound))
    return contents.join(f.broadcast(_overall(contents)), on=AS_OF, how="inner").select(
        AS_OF,
        c.CONTENT_ID,
        c.CONTENT_KIND,
        c.STREAMER_ID,
        c.VIEWS,
        c.VIEWERS,
        c.MEAN_VALUE,
        bounded.alias(c.VALUE_LOWER_BOUND),
    )


def _voices(views: DataFrame) -> DataFrame:
    """One row per user and content; `views` is partitioned by user, so nothing is shuffled."""
    weighted = exact_sum(f.col(c.WEIGHT) * f.col(c.VALUE))
    return views.groupBy(c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, AS_OF).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.count_if(f.col(c.WATCHED_SECONDS) > 0).alias(c.VIEWS),
        share(weighted, exact_sum(f.col(c.WEIGHT))).alias(_VOICE),
        (exact_sum(f.col(c.WEIGHT)) / f.count(f.lit(1))).alias(c.WEIGHT),
    )


def _contents(voices: DataFrame) -> DataFrame:
    weighted = f.col(c.WEIGHT) * f.col(_VOICE)
    return voices.groupBy(c.CONTENT_ID, c.CONTENT_KIND, AS_OF).agg(
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.sum(c.VIEWS).alias(c.VIEWS),
        f.count_if(f.col(c.VIEWS) > 0).alias(c.VIEWERS),
        exact_sum(f.col(c.WEIGHT)).alias(_COUNT),
        share(exact_sum(weighted), exact_sum(f.col(c.WEIGHT))).alias(c.MEAN_VALUE),
        exact_sum(weighted * f.col(_VOICE)).alias(_SQUARES),
    )


def _overall(contents: DataFrame) -> DataFrame:
    count = exact_sum(f.col(_COUNT))
    mean = share(exact_sum(f.col(_COUNT) * f.col(c.MEAN_VALUE)), count)
    variance = f.greatest(f.lit(0.0), share(exact_sum(f.col(_SQUARES)), count) - mean * mean)
    return contents.groupBy(AS_OF).agg(mean.alias(_OVERALL_MEAN), variance.alias(_OVERALL_VARIANCE))
