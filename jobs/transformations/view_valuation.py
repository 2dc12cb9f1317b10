"""The value of a view: how much was watched, against contents of its length, this user and this content.

With x = the watched share of the length (log(1 + seconds) where no length is known), over the played views of the
trailing window, m and s the mean and standard deviation of x within a kind, k = `prior_views`, ku = `user_prior_views`
and kg = `group_prior_views`:

    group mean       = (sum of x + kg m) / (views + kg)   over contents of one kind and one quantile of its lengths
    z                = (x - group mean) / s
    user_relative    = z - (sum of the user's z) / (their views + ku)
    content_relative = z - (sum of the content's z) / (its views + k)
    value            = 1 / (1 + exp(-(user_relative + content_relative) / 2)); 0 without a second watched

0.5 is an ordinary watch; few views shrink a mean to that of their length. Long contents get small shares and many
seconds for being long, so a view is only compared within its quantile of lengths (after Zhan et al., Deconfounding
Duration Bias in Watch-time Prediction for Video Recommendation, KDD 2022). Exposures that were not played stay out of
the means: they say what was passed by, not how long a watch lasts.
"""

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import add
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.as_of import AS_OF, HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.views import played

_X, _Z = "watched", "standard_watched"
_LENGTH_GROUP: Final = "length_group"
_COUNT, _SUM, _SQUARES = "count_of_x", "sum_of_x", "sum_of_x_squared"
_USUAL_OF_USER, _USUAL_OF_CONTENT = "usual_z_of_user", "usual_z_of_content"
_GROUP: Final = (AS_OF, c.CONTENT_KIND, _LENGTH_GROUP)
_CONTENT: Final = (AS_OF, c.CONTENT_KIND, c.CONTENT_ID)
_HAS_LENGTH, _GROUP_MEAN, _MEAN, _DEVIATION = "has_length", "group_mean", "mean_of_x", "deviation_of_x"
_NO_LENGTH: Final = -1


def content_lengths(catalogue: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Seconds of each content whose length is known, and its group: the quantile among its kind's lengths.

    Args:
        catalogue: `content_v1` with `as_of`.
    """
    known = catalogue.where(f.col(c.DURATION_SECONDS) > 0)
    shares = [number / valuation.length_groups for number in range(1, valuation.length_groups)]
    seconds = f.floor(c.DURATION_SECONDS)  # exact quantiles keep a count per distinct length: whole seconds are few
    edges = known.groupBy(c.CONTENT_KIND, AS_OF).agg(
        *(f.percentile(seconds, share).alias(f"{_LENGTH_GROUP}_{share}") for share in shares)
    )
    above = [(f.col(c.DURATION_SECONDS) > f.col(f"`{_LENGTH_GROUP}_{share}`")).cast("int") for share in shares]
    return known.join(f.broadcast(edges), on=[c.CONTENT_KIND, AS_OF], how="inner").select(
        c.CONTENT_ID, c.DURATION_SECONDS, reduce(add, above, f.lit(0)).alias(_LENGTH_GROUP), AS_OF
    )


def watched_on_each_day(views: DataFrame, lengths: DataFrame, days: Sequence[date]) -> DataFrame:
    """How much was watched in the played views of each day's window.

    Args:
        views: As `views` and `settled_views` make them.
        lengths: As `content_lengths` makes them.
    """
    narrow = views.select(c.USER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.WATCHED_SECONDS, HELD_FROM, HELD_TO)
    return _watched(on_each_day(played(narrow), days), lengths)


def content_sums(usual: DataFrame) -> DataFrame:
    """Number and sums of x per content and day: the means of groups and of contents come from these few rows.

    A content is of one group.

    Args:
        usual: As `watched_on_each_day` makes it.
    """
    return _sums(usual, [c.CONTENT_ID, *_GROUP], with_squares=True)


def user_sums(usual: DataFrame) -> DataFrame:
    """Number and sum of x per user, group and day: of these the mean of z can be told.

    Args:
        usual: As `watched_on_each_day` makes it.
    """
    return _sums(usual, [c.USER_ID, *_GROUP])


def group_means(contents: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """Mean of x per kind and group of lengths, with the deviation of its kind: a few dozen rows.

    Args:
        contents: As `content_sums` makes them.
    """
    sums = contents.groupBy(*_GROUP).agg(
        f.sum(_COUNT).alias(_COUNT), *(exact_sum(f.col(name)).alias(name) for name in (_SUM, _SQUARES))
    )
    # Shares and log seconds are two scales: contents of unknown length are a kind of their own.
    scaled = sums.withColumn(_HAS_LENGTH, f.col(_LENGTH_GROUP) != f.lit(_NO_LENGTH))
    of_kind = Window.partitionBy(AS_OF, c.CONTENT_KIND, _HAS_LENGTH).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    count = f.sum(_COUNT).over(of_kind)
    mean, square = (exact_sum(f.col(name), over=of_kind) / count for name in (_SUM, _SQUARES))
    with_mean = scaled.withColumns({_MEAN: mean, _SQUARES: square})
    variance = f.col(_SQUARES) - f.col(_MEAN) * f.col(_MEAN)
    least, prior = f.lit(valuation.min_deviation**2), f.lit(valuation.group_prior_views)
    return with_mean.withColumn(_SQUARES, variance).select(
        *_GROUP,
        ((f.col(_SUM) + prior * f.col(_MEAN)) / (f.col(_COUNT) + prior)).alias(_GROUP_MEAN),
        f.when(f.col(_SQUARES) > least, f.sqrt(_SQUARES)).otherwise(f.lit(1.0)).alias(_DEVIATION),
    )


def view_values(
    fresh: DataFrame,
    contents: DataFrame,
    users: DataFrame,
    groups: DataFrame,
    lengths: DataFrame,
    valuation: ValuationSettings,
) -> DataFrame:
    """Values of the views, one row each; without `available_at`.

    Args:
        fresh: Views with their weight and the `as_of` of the partition that they go to.
        contents: As `content_sums` makes them.
        users: As `user_sums` makes them.
        groups: As `group_means` makes them; read three times.
        lengths: As `content_lengths` makes them.
    """
    of_user = (
        _with_groups(users, groups)
        .groupBy(c.USER_ID, AS_OF)
        .agg(_shrunk(exact_sum(_sum_of_z()), f.sum(_COUNT), valuation.user_prior_views).alias(_USUAL_OF_USER))
    )
    of_content = _with_groups(contents, groups).select(
        *_CONTENT, _shrunk(_sum_of_z(), f.col(_COUNT), valuation.prior_views).alias(_USUAL_OF_CONTENT)
    )
    compared = (
        _with_groups(_watched(fresh, lengths), groups)
        .withColumn(_Z, (f.col(_X) - f.col(_GROUP_MEAN)) / f.col(_DEVIATION))
        .join(of_user.hint("shuffle_hash"), on=[c.USER_ID, AS_OF], how="left")
        .join(of_content, on=[*_CONTENT], how="left")
        .fillna({_USUAL_OF_USER: 0.0, _USUAL_OF_CONTENT: 0.0})
    )
    return _compared(compared, valuation)


def logistic(x: Column) -> Column:
    """1 / (1 + exp(-x)): a distance in standard deviations as a value, 0.5 at no distance."""
    return f.lit(1.0) / (f.lit(1.0) + f.exp(-x))


def _watched(views: DataFrame, lengths: DataFrame) -> DataFrame:
    """Add how much was watched, and of which length."""
    length = f.col(c.DURATION_SECONDS)
    share = f.when(length.isNotNull(), f.least(f.lit(1.0), f.col(c.WATCHED_SECONDS) / length))
    return views.join(lengths, on=[c.CONTENT_ID, AS_OF], how="left").withColumns(
        {
            c.COMPLETION: share,
            _X: f.coalesce(share, f.log1p(c.WATCHED_SECONDS)),
            _LENGTH_GROUP: f.coalesce(_LENGTH_GROUP, f.lit(_NO_LENGTH)),
        }
    )


def _sums(usual: DataFrame, keys: Sequence[str], with_squares: bool = False) -> DataFrame:
    x = f.col(_X)
    summed = {_SUM: x, _SQUARES: x * x} if with_squares else {_SUM: x}
    totals = (exact_sum(column).alias(name) for name, column in summed.items())
    return usual.groupBy(*keys).agg(f.count(f.lit(1)).alias(_COUNT), *totals)


def _with_groups(rows: DataFrame, groups: DataFrame) -> DataFrame:
    joined = rows.join(f.broadcast(groups), on=[*_GROUP], how="left")
    return joined.fillna({_GROUP_MEAN: 0.0, _DEVIATION: 1.0})


def _sum_of_z() -> Column:
    """Of views of one group: z is linear in x."""
    return (f.col(_SUM) - f.col(_COUNT) * f.col(_GROUP_MEAN)) / f.col(_DEVIATION)


def _shrunk(total: Column, count: Column, prior_views: float) -> Column:
    """A mean z shrunk to 0, the mean of the view's length."""
    return total / (count + f.lit(prior_views))


def _compared(views: DataFrame, valuation: ValuationSettings) -> DataFrame:
    """The output, step by step, so that no expression is written out twice."""
    with_distances = views.withColumns(
        {
            c.USER_RELATIVE: f.col(_Z) - f.col(_USUAL_OF_USER),
            c.CONTENT_RELATIVE: f.col(_Z) - f.col(_USUAL_OF_CONTENT),
        }
    )
    distance = (f.col(c.USER_RELATIVE) + f.col(c.CONTENT_RELATIVE)) / f.lit(2.0)
    value = f.when(f.col(c.WATCHED_SECONDS) > 0, logistic(distance)).otherwise(f.lit(0.0))
    valued = f.coalesce(f.col(c.LOGGED_VALUED), f.col(c.VALUE) >= f.lit(valuation.valued_threshold))
    return with_distances.withColumn(c.VALUE, value).select(
        AS_OF,
        c.USER_ID,
        c.CONTENT_ID,
        c.CONTENT_KIND,
        c.STREAMER_ID,
        c.VIEW_DAY,
        c.FIRST_EVENT_TIME,
        c.LAST_EVENT_TIME,
        c.WATCHED_SECONDS,
        c.COMPLETION,
        c.IS_CLICK,
        c.USER_RELATIVE,
        c.CONTENT_RELATIVE,
        c.VALUE,
        c.LOGGED_VALUED,
        valued.alias(c.IS_VALUED),
        c.WEIGHT,
        c.WEIGHT_REASON,
    )
