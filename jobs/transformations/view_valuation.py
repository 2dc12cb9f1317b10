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

from dataclasses import dataclass
from datetime import date
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.abuse import with_weights
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.views import played

_X: Final = "log_seconds"
_LENGTH: Final = "length_bucket"
_USER_COUNT, _USER_SUM = "user_count", "user_sum"
_COUNT, _SUM, _SQUARES = "count_of_x", "sum_of_x", "sum_of_x_squared"
_GROUP_MEAN, _MEAN, _DEVIATION = "group_mean", "overall_mean", "overall_deviation"
_NO_LENGTH: Final = -1


@dataclass(frozen=True)
class Usual:
    """Watch times of the trailing window, played views only.

    Args:
        users: Count and sum of x per user.
        contents: Count, sum and sum of squares of x per content; read three times, so a command may persist it.
    """

    users: DataFrame
    contents: DataFrame


def usual_watch_times(window: DataFrame, catalogue: DataFrame) -> Usual:
    """What users and contents usually get.

    Args:
        window: Views of the trailing window, as `views` makes them.
        catalogue: `content_v1`.
    """
    usual = played(_with_x(window, catalogue))
    return Usual(_user_sums(usual), _content_sums(usual))


def view_values(
    recent: DataFrame, usual: Usual, catalogue: DataFrame, day: date, valuation: ValuationSettings
) -> DataFrame:
    """Values of the views that have a row in partition `day`; without `available_at`.

    Args:
        recent: All views of the days that a row of `day` may belong to, as `views` makes them.
    """
    groups = _groups(usual.contents, valuation)
    overall = groups.agg(f.max(_MEAN).alias(_MEAN), f.max(_DEVIATION).alias(_DEVIATION))
    fresh = with_weights(recent, valuation).where(f.col(c.DT) == f.lit(day))
    compared = (
        _with_x(fresh, catalogue)
        .crossJoin(f.broadcast(overall.fillna({_MEAN: 0.0, _DEVIATION: 1.0})))
        .join(f.broadcast(groups.drop(_MEAN, _DEVIATION)), on=[c.CONTENT_KIND, _LENGTH], how="left")
        .join(usual.users, on=c.USER_ID, how="left")
        .join(usual.contents.select(c.CONTENT_ID, _COUNT, _SUM), on=c.CONTENT_ID, how="left")
    )
    return _compared(compared, valuation)


def _with_x(views: DataFrame, catalogue: DataFrame) -> DataFrame:
    lengths = catalogue.where(f.col(c.DURATION_SECONDS) > 0).select(c.CONTENT_ID, c.DURATION_SECONDS)
    bucket = f.coalesce(f.floor(f.log2(f.col(c.DURATION_SECONDS) + f.lit(1.0))).cast("int"), f.lit(_NO_LENGTH))
    joined = views.join(lengths, on=c.CONTENT_ID, how="left")
    return joined.withColumns({_X: f.log1p(c.WATCHED_SECONDS), _LENGTH: bucket})


def _user_sums(views: DataFrame) -> DataFrame:
    """The views are partitioned by user already: no shuffle."""
    count, total = f.count(f.lit(1)).alias(_USER_COUNT), exact_sum(f.col(_X)).alias(_USER_SUM)
    return views.groupBy(c.USER_ID).agg(count, total)


def _content_sums(views: DataFrame) -> DataFrame:
    return views.groupBy(c.CONTENT_ID, c.CONTENT_KIND, _LENGTH).agg(
        f.count(f.lit(1)).alias(_COUNT),
        exact_sum(f.col(_X)).alias(_SUM),
        exact_sum(f.col(_X) * f.col(_X)).alias(_SQUARES),
    )


def _groups(contents: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Mean of each kind and length, with the overall mean and deviation beside it: a few dozen rows."""
    sums = contents.groupBy(c.CONTENT_KIND, _LENGTH).agg(
        f.sum(_COUNT).alias(_COUNT), exact_sum(f.col(_SUM)).alias(_SUM), exact_sum(f.col(_SQUARES)).alias(_SQUARES)
    )
    everything = Window.partitionBy().rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    count = f.sum(_COUNT).over(everything)
    with_mean = sums.withColumn(_MEAN, exact_sum(f.col(_SUM), over=everything) / count)
    variance = exact_sum(f.col(_SQUARES), over=everything) / count - f.col(_MEAN) * f.col(_MEAN)
    least = f.lit(valuation.min_deviation**2)
    return with_mean.withColumn(_SQUARES, variance).select(
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
