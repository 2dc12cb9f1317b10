"""The value of a view: its seconds against what this user, and what this content, usually gets.

With x = log(1 + seconds) of the played views of the trailing window, m and s their mean and standard deviation, and
k = `prior_views`:

    user mean    = (sum of the user's x + k m) / (their views + k)
    group mean   = (sum of x + k m) / (views + k)            over contents of one kind and one length (powers of two)
    content mean = (sum of the content's x + k group mean) / (its views + k)
    value        = 1 / (1 + exp(-(z_user + z_content) / 2))   with z = (x - mean) / s; 0 without a second watched

0.5 is an ordinary watch. Exposures that were not played stay out of the means: they say what was passed by, not how
long a watch lasts.
"""

from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.abuse import with_weights
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.views import played

_X: Final = "log_seconds"
_LENGTH: Final = "length_bucket"
_COUNT, _SUM, _SQUARES = "count_of_x", "sum_of_x", "sum_of_x_squared"
_USER_MEAN, _CONTENT_MEAN, _GROUP_MEAN = "user_mean", "content_mean", "group_mean"
_MEAN, _DEVIATION = "overall_mean", "overall_deviation"
_NO_LENGTH: Final = -1


def view_values(
    views: DataFrame, catalogue: DataFrame, day: date, late_days: int, valuation: ValuationSettings
) -> DataFrame:
    """Values of the views that have a row in partition `day`; without `available_at`.

    Args:
        views: Views of the trailing window that ends with `day`, as `views` makes them.
        catalogue: `content_v1`.
    """
    with_x = _with_x(views, catalogue)
    contents = _content_sums(played(with_x))
    overall = _overall(contents, valuation)
    recent = with_x.where(f.col(c.VIEW_DAY) >= f.lit(day - timedelta(days=late_days)))
    fresh = with_weights(recent, valuation).where(f.col(c.DT) == f.lit(day))
    compared = (
        fresh.crossJoin(f.broadcast(overall))
        .join(_user_sums(played(with_x)), on=c.USER_ID, how="left")
        .withColumn(_USER_MEAN, _shrunk(f.col(_MEAN), valuation))
        .drop(_COUNT, _SUM)
        .join(_content_means(contents, overall, valuation), on=c.CONTENT_ID, how="left")
    )
    return compared.select(*_outputs(valuation))


def _with_x(views: DataFrame, catalogue: DataFrame) -> DataFrame:
    lengths = catalogue.where(f.col(c.DURATION_SECONDS) > 0).select(c.CONTENT_ID, c.DURATION_SECONDS)
    bucket = f.coalesce(f.floor(f.log2(f.col(c.DURATION_SECONDS) + f.lit(1.0))).cast("int"), f.lit(_NO_LENGTH))
    joined = views.join(lengths, on=c.CONTENT_ID, how="left")
    return joined.withColumns({_X: f.log1p(c.WATCHED_SECONDS), _LENGTH: bucket})


def _user_sums(views: DataFrame) -> DataFrame:
    return views.groupBy(c.USER_ID).agg(f.count(f.lit(1)).alias(_COUNT), exact_sum(f.col(_X)).alias(_SUM))


def _content_sums(views: DataFrame) -> DataFrame:
    return views.groupBy(c.CONTENT_ID, c.CONTENT_KIND, _LENGTH).agg(
        f.count(f.lit(1)).alias(_COUNT),
        exact_sum(f.col(_X)).alias(_SUM),
        exact_sum(f.col(_X) * f.col(_X)).alias(_SQUARES),
    )


def _overall(contents: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """One row: mean and standard deviation of x; 0 and 1 where there is nothing to tell them from."""
    mean = exact_sum(f.col(_SUM)) / f.sum(_COUNT)
    variance = exact_sum(f.col(_SQUARES)) / f.sum(_COUNT) - mean * mean
    deviation = f.when(variance > f.lit(valuation.min_deviation**2), f.sqrt(variance)).otherwise(f.lit(1.0))
    return contents.agg(f.coalesce(mean, f.lit(0.0)).alias(_MEAN), deviation.alias(_DEVIATION))


def _content_means(contents: DataFrame, overall: DataFrame, valuation: ValuationSettings) -> DataFrame:
    groups = contents.groupBy(c.CONTENT_KIND, _LENGTH).agg(
        f.sum(_COUNT).alias(_COUNT), exact_sum(f.col(_SUM)).alias(_SUM)
    )
    group_means = groups.crossJoin(f.broadcast(overall)).select(
        c.CONTENT_KIND, _LENGTH, _shrunk(f.col(_MEAN), valuation).alias(_GROUP_MEAN)
    )
    joined = contents.join(f.broadcast(group_means), on=[c.CONTENT_KIND, _LENGTH], how="left")
    return joined.select(c.CONTENT_ID, _shrunk(f.col(_GROUP_MEAN), valuation).alias(_CONTENT_MEAN))


def _shrunk(prior_mean: Column, valuation: ValuationSettings) -> Column:
    prior = f.lit(valuation.prior_views)
    count, total = f.coalesce(f.col(_COUNT), f.lit(0)), f.coalesce(f.col(_SUM), f.lit(0.0))
    return (total + prior * prior_mean) / (count + prior)


def _outputs(valuation: ValuationSettings) -> list[Column]:
    x, deviation = f.col(_X), f.col(_DEVIATION)
    to_user = (x - f.col(_USER_MEAN)) / deviation
    to_content = (x - f.coalesce(_CONTENT_MEAN, _MEAN)) / deviation
    logistic = f.lit(1.0) / (f.lit(1.0) + f.exp(-(to_user + to_content) / f.lit(2.0)))
    value = f.when(f.col(c.WATCHED_SECONDS) > 0, logistic).otherwise(f.lit(0.0))
    valued = f.coalesce(f.col(c.LOGGED_VALUED), value >= f.lit(valuation.valued_threshold))
    completion = f.least(f.lit(1.0), f.col(c.WATCHED_SECONDS) / f.col(c.DURATION_SECONDS))
    return [
        *(f.col(name) for name in (c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID, c.VIEW_DAY)),
        *(f.col(name) for name in (c.FIRST_EVENT_TIME, c.LAST_EVENT_TIME, c.WATCHED_SECONDS)),
        f.when(f.col(c.DURATION_SECONDS).isNotNull(), completion).alias(c.COMPLETION),
        f.col(c.IS_CLICK),
        to_user.alias(c.USER_RELATIVE),
        to_content.alias(c.CONTENT_RELATIVE),
        value.alias(c.VALUE),
        f.col(c.LOGGED_VALUED),
        valued.alias(c.IS_VALUED),
        f.col(c.WEIGHT),
        f.col(c.WEIGHT_REASON),
    ]
