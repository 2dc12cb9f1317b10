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

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.views import played

_X: Final = "log_seconds"
_LENGTH: Final = "length_bucket"
_USER_COUNT, _USER_SUM = "user_count", "user_sum"
_COUNT, _SUM, _SQUARES = "count_of_x", "sum_of_x", "sum_of_x_squared"
_GROUP_MEAN, _MEAN, _DEVIATION = "group_mean", "overall_mean", "overall_deviation"
_NO_LENGTH: Final = -1


@dataclass(frozen=True)
class Usual:
    """Watch times of the window that ends with each day, played views only.

    Args:
        users: Count and sum of x per user and `as_of`.
        contents: Count, sum and sum of squares of x per content and `as_of`, with the content's length; read twice, so
            a command may persist it.
    """

    users: DataFrame
    contents: DataFrame


def usual_watch_times(versions: DataFrame, lengths: DataFrame, days: Sequence[date]) -> Usual:
    """What users and contents usually get.

    Args:
        versions: Views of the windows, as `views` makes them.
        lengths: As `content_lengths` makes them.
    """
    usual = played(versions).withColumn(_X, f.log1p(c.WATCHED_SECONDS))
    contents = _summed(usual, [c.CONTENT_ID, c.CONTENT_KIND], days).join(lengths, on=[c.CONTENT_ID, AS_OF], how="left")
    users = _summed(usual, [c.USER_ID], days).drop(_SQUARES)
    return Usual(users.withColumnsRenamed({_COUNT: _USER_COUNT, _SUM: _USER_SUM}), contents)


def content_lengths(catalogue: DataFrame) -> DataFrame:
    """Seconds of each content whose length is known.

    Args:
        catalogue: `content_v1` with `as_of`.
    """
    return catalogue.where(f.col(c.DURATION_SECONDS) > 0).select(c.CONTENT_ID, c.DURATION_SECONDS, AS_OF)


def view_values(fresh: DataFrame, usual: Usual, lengths: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Values of the views, one row each; without `available_at`.

    Args:
        fresh: Views with their weight and the `as_of` of the partition that they go to.
        lengths: As `content_lengths` makes them.
    """
    contents = usual.contents.withColumn(_LENGTH, _length())
    groups = _groups(contents, valuation)
    overall = groups.groupBy(AS_OF).agg(f.max(_MEAN).alias(_MEAN), f.max(_DEVIATION).alias(_DEVIATION))
    compared = (
        fresh.withColumn(_X, f.log1p(c.WATCHED_SECONDS))
        .join(usual.users.hint("shuffle_hash"), on=[c.USER_ID, AS_OF], how="left")
        .join(lengths, on=[c.CONTENT_ID, AS_OF], how="left")
        .join(contents.drop(c.DURATION_SECONDS, _LENGTH), on=[c.CONTENT_ID, c.CONTENT_KIND, AS_OF], how="left")
        .withColumn(_LENGTH, _length())
        .join(f.broadcast(overall), on=AS_OF, how="left")
        .join(f.broadcast(groups.drop(_MEAN, _DEVIATION)), on=[c.CONTENT_KIND, _LENGTH, AS_OF], how="left")
        .fillna({_MEAN: 0.0, _DEVIATION: 1.0})
    )
    return _compared(compared, valuation)


def _length() -> Column:
    bucket = f.floor(f.log2(f.col(c.DURATION_SECONDS) + f.lit(1.0))).cast("int")
    return f.coalesce(bucket, f.lit(_NO_LENGTH))


def _summed(played_views: DataFrame, keys: Sequence[str], days: Sequence[date]) -> DataFrame:
    """Sums per key and day; versions add up before they are spread over the days."""
    x = f.col(_X)
    sums = played_views.groupBy(*keys, HELD_FROM, HELD_TO).agg(
        f.count(f.lit(1)).alias(_COUNT), exact_sum(x).alias(_SUM), exact_sum(x * x).alias(_SQUARES)
    )
    return on_each_day(sums, days).groupBy(*keys, AS_OF).agg(*_totals())


def _totals() -> list[Column]:
    return [f.sum(_COUNT).alias(_COUNT), *(exact_sum(f.col(name)).alias(name) for name in (_SUM, _SQUARES))]


def _groups(contents: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Mean of each kind and length, with the overall mean and deviation of the day beside it: a few dozen rows."""
    sums = contents.groupBy(AS_OF, c.CONTENT_KIND, _LENGTH).agg(*_totals())
    of_day = Window.partitionBy(AS_OF).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    count = f.sum(_COUNT).over(of_day)
    with_mean = sums.withColumn(_MEAN, exact_sum(f.col(_SUM), over=of_day) / count)
    variance = exact_sum(f.col(_SQUARES), over=of_day) / count - f.col(_MEAN) * f.col(_MEAN)
    least = f.lit(valuation.min_deviation**2)
    return with_mean.withColumn(_SQUARES, variance).select(
        AS_OF,
        c.CONTENT_KIND,
        _LENGTH,
        _shrunk(f.col(_COUNT), f.col(_SUM), f.col(_MEAN), valuation).alias(_GROUP_MEAN),
        _MEAN,
        f.when(f.col(_SQUARES) > least, f.sqrt(_SQUARES)).otherwise(f.lit(1.0)).alias(_DEVIATION),
    )


def _shrunk(count: Column, total: Column, prior_mean: Column, valuation: ValuationSettings) -> Column:
    prior = f.lit(valuation.prior_views)
    return (f.coalesce(total, f.lit(0.0)) + prior * prior_mean) / (f.coalesce(count, f.lit(0)) + prior)


def _compared(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """The output, step by step, so that no expression is written out twice."""
    user_mean = _shrunk(f.col(_USER_COUNT), f.col(_USER_SUM), f.col(_MEAN), valuation)
    content_mean = _shrunk(f.col(_COUNT), f.col(_SUM), f.coalesce(_GROUP_MEAN, _MEAN), valuation)
    with_distances = views.withColumns(
        {
            c.USER_RELATIVE: (f.col(_X) - user_mean) / f.col(_DEVIATION),
            c.CONTENT_RELATIVE: (f.col(_X) - content_mean) / f.col(_DEVIATION),
        }
    )
    distance = (f.col(c.USER_RELATIVE) + f.col(c.CONTENT_RELATIVE)) / f.lit(2.0)
    value = f.when(f.col(c.WATCHED_SECONDS) > 0, f.lit(1.0) / (f.lit(1.0) + f.exp(-distance))).otherwise(f.lit(0.0))
    completion = f.least(f.lit(1.0), f.col(c.WATCHED_SECONDS) / f.col(c.DURATION_SECONDS))
    valued = f.coalesce(f.col(c.LOGGED_VALUED), f.col(c.VALUE) >= f.lit(valuation.valued_threshold))
    with_value = with_distances.withColumn(c.VALUE, value)
    return with_value.select(
        AS_OF,
        c.USER_ID,
        c.CONTENT_ID,
        c.CONTENT_KIND,
        c.STREAMER_ID,
        c.VIEW_DAY,
        c.FIRST_EVENT_TIME,
        c.LAST_EVENT_TIME,
        c.WATCHED_SECONDS,
        f.when(f.col(c.DURATION_SECONDS).isNotNull(), completion).alias(c.COMPLETION),
        c.IS_CLICK,
        c.USER_RELATIVE,
        c.CONTENT_RELATIVE,
        c.VALUE,
        c.LOGGED_VALUED,
        valued.alias(c.IS_VALUED),
        c.WEIGHT,
        c.WEIGHT_REASON,
    )
