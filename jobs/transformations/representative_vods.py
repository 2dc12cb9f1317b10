"""A streamer's best VODs and clips, one per moment.

    score = 2^(-age / half-life) * log(1 + viewers) * lower bound of the value

with viewers as the voices behind the value count them, so that bots count nothing; what anybody has watched counts
`least_viewers`, so that a streamer whose viewers watch nobody else has contents to show, too.

Two contents of one broadcast whose spans overlap by more than a set share of the longer one show the same moment: from
the best score down, a content stays unless it shows the moment of one that stayed. A VOD and a short clip cut from it
do not replace each other.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import RepresentativeSettings
from jobs.transformations.arithmetic import decay, with_rank
from jobs.transformations.as_of import AS_OF, moment_of
from jobs.transformations.moments import listable, one_per_moment

_BY_SCORE: Final = "minus_score"
_DAY_SECONDS: Final = 86_400.0


def representative_vods(
    content_values: DataFrame,
    catalogue: DataFrame,
    day_ends: Mapping[date, datetime],
    representative: RepresentativeSettings,
) -> DataFrame:
    """The best contents per streamer; without `available_at`.

    Args:
        content_values: `content_value_v1` with `as_of`.
        catalogue: `content_v1` with `as_of`; a content that it does not know is listed as public and of unknown age.
        day_ends: End of each day, from which ages count.
    """
    scored = _scored(listable(content_values, catalogue, day_ends), day_ends, representative)
    by_score = scored.withColumn(_BY_SCORE, -f.col(c.SCORE))
    best = one_per_moment(by_score, [AS_OF, c.STREAMER_ID], _BY_SCORE, representative.duplicate_overlap)
    ranked = with_rank(best, [AS_OF, c.STREAMER_ID], f.desc(c.SCORE), f.asc(c.CONTENT_ID))
    return ranked.where(f.col(c.RANK) <= representative.list_length).select(
        AS_OF,
        c.STREAMER_ID,
        c.RANK,
        c.CONTENT_ID,
        c.CONTENT_KIND,
        c.CREATOR_ID,
        c.BROADCAST_ID,
        c.SCORE,
        c.RECENCY,
        c.VIEWERS,
        c.VALUE_LOWER_BOUND,
    )


def _scored(
    contents: DataFrame, day_ends: Mapping[date, datetime], representative: RepresentativeSettings
) -> DataFrame:
    seconds = (f.unix_micros(moment_of(day_ends)) - f.unix_micros(c.PUBLISHED_AT)) / f.lit(1e6)
    age = f.coalesce(seconds / f.lit(_DAY_SECONDS), f.lit(representative.unknown_age_days))
    least = f.when(f.col(c.VIEWERS) > 0, f.lit(representative.least_viewers)).otherwise(f.lit(0.0))
    viewers = f.greatest(f.col(c.EFFECTIVE_VIEWERS), least)
    score = f.col(c.RECENCY) * f.log1p(viewers) * f.col(c.VALUE_LOWER_BOUND)
    return (
        contents.withColumn(c.RECENCY, decay(age, representative.half_life_days))
        .withColumn(c.SCORE, score)
        .where(f.col(c.SCORE) > 0)
        .select(
            AS_OF,
            c.STREAMER_ID,
            c.CONTENT_ID,
            c.CONTENT_KIND,
            c.CREATOR_ID,
            c.BROADCAST_ID,
            c.OFFSET_SECONDS,
            c.DURATION_SECONDS,
            c.SCORE,
            c.RECENCY,
            c.VIEWERS,
            c.VALUE_LOWER_BOUND,
        )
    )
