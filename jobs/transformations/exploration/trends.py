"""What the kinds of exploration know of streamers."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ExplorationSettings
from jobs.transformations.arithmetic import exact_sum, share
from jobs.transformations.as_of import AS_OF
from jobs.transformations.fusion import Bools, Floats, Ints
from jobs.transformations.scored_pairs import Links, Pairs
from jobs.transformations.views import played

_FIRST_DAY: Final = "first_day"
_IS_RECENT, _RECENT, _EARLIER, _VALUES, _SQUARES = "is_recent", "recent", "earlier", "values", "squares"


def voices(views: DataFrame, exploration: ExplorationSettings) -> DataFrame:
    """One row per user and streamer, and `as_of`; the result is partitioned by user.

    Visits; days with a valued view, recent and earlier; the first day; and the mean value of the views.

    Args:
        views: Latest views of the window that ends with each `as_of`, partitioned by user.
    """
    is_recent = f.datediff(AS_OF, c.VIEW_DAY) < f.lit(exploration.recent_days)
    daily = (
        played(views)
        .groupBy(c.USER_ID, c.STREAMER_ID, AS_OF, c.VIEW_DAY)
        .agg(
            f.max(f.col(c.IS_VALUED).cast("int")).alias(c.IS_VALUED),
            exact_sum(f.col(c.WEIGHT) * f.col(c.VALUE)).alias(_VALUES),
            exact_sum(f.col(c.WEIGHT)).alias(c.WEIGHT),
        )
        .withColumn(_IS_RECENT, is_recent)
    )
    return daily.groupBy(c.USER_ID, c.STREAMER_ID, AS_OF).agg(
        f.count(f.lit(1)).alias(c.VISITS),
        f.sum(f.when(f.col(_IS_RECENT), f.col(c.IS_VALUED)).otherwise(f.lit(0))).alias(_RECENT),
        f.sum(f.when(f.col(_IS_RECENT), f.lit(0)).otherwise(f.col(c.IS_VALUED))).alias(_EARLIER),
        f.min(c.VIEW_DAY).alias(_FIRST_DAY),
        share(exact_sum(f.col(_VALUES)), exact_sum(f.col(c.WEIGHT))).alias(c.VALUE),
    )


def heard_of(voices: DataFrame, streamers: DataFrame) -> DataFrame:
    """One row per streamer with a view in the window: what its voices add up to, and its category.

    Args:
        streamers: `streamer_v1` with `as_of`.
    """
    categories = streamers.select(AS_OF, c.STREAMER_ID, c.CATEGORY)
    return (
        voices.groupBy(c.STREAMER_ID, AS_OF)
        .agg(
            f.sum(_RECENT).alias(_RECENT),
            f.sum(_EARLIER).alias(_EARLIER),
            f.min(_FIRST_DAY).alias(_FIRST_DAY),
            f.count(f.lit(1)).alias(c.VIEWERS),
            exact_sum(f.col(c.VALUE)).alias(_VALUES),
            exact_sum(f.col(c.VALUE) * f.col(c.VALUE)).alias(_SQUARES),
        )
        .join(f.broadcast(categories), on=[AS_OF, c.STREAMER_ID], how="left")
    )


@dataclass(frozen=True)
class Trends:
    """The streamers that have a category and a view in the window, one place each in all arrays.

    Args:
        categories: Codes of the categories, in the order of their names.
        recent_rate: Viewers a day in the recent days; a viewer is a user with a valued view on a day.
        earlier_rate: The same before.
        age_days: Days since the first view.
        log_days: Days since the log began, as far as the window tells.
        value: Lower bound of the value of a viewer's views: the mean over viewers minus `confidence_z` standard errors.
    """

    streamers: Ints
    categories: Ints
    viewers: Ints
    recent_rate: Floats
    earlier_rate: Floats
    age_days: Ints
    log_days: int
    value: Floats

    @classmethod
    def of(cls, heard: pa.Table, day: date, exploration: ExplorationSettings) -> "Trends":
        """Out of the rows of `heard_of` for the day."""
        ages = (np.datetime64(day) - heard.column(_FIRST_DAY).to_numpy()).astype(np.int64)
        log_days = int(ages.max(initial=0))
        has_category = heard.column(c.CATEGORY).is_valid().to_numpy()
        names = heard.column(c.CATEGORY).to_numpy()[has_category].astype(str)
        sums = {
            name: heard.column(name).to_numpy()[has_category]
            for name in (c.STREAMER_ID, c.VIEWERS, _RECENT, _EARLIER, _VALUES, _SQUARES)
        }
        viewers = sums[c.VIEWERS]
        mean = sums[_VALUES] / viewers
        variance = np.maximum(0.0, sums[_SQUARES] / viewers - mean * mean)
        error = np.sqrt((variance + exploration.prior_variance) / viewers)
        return cls(
            sums[c.STREAMER_ID],
            np.unique(names, return_inverse=True)[1],
            viewers,
            sums[_RECENT] / exploration.recent_days,
            sums[_EARLIER] / max(1, log_days + 1 - exploration.recent_days),
            ages[has_category],
            log_days,
            np.maximum(0.0, mean - exploration.confidence_z * error),
        )

    @property
    def links(self) -> Links:
        """From each streamer to its category."""
        return Links.of(self.streamers, self.categories, np.ones(len(self.streamers)))

    def best_of_categories(self, scores: Floats, wanted: Bools, count: int) -> Links:
        """From each category to its `count` best streamers."""
        best, _ = Pairs(self.categories, self.streamers, scores).where(wanted).best(count)
        return Links.of(best.users, best.items, best.scores)
