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

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Visibility
from contracts.settings import RepresentativeSettings
from jobs.transformations.arithmetic import decay, with_rank
from jobs.transformations.as_of import AS_OF, moment_of

_BY_SCORE: Final = "minus_score"
_ALONE, _MOMENTS, _MOMENT = "alone", "moments", "moment"
_DAY_SECONDS: Final = 86_400.0
_FIELDS: Final = (c.CONTENT_KIND, c.CREATOR_ID, c.SCORE, c.RECENCY, c.VIEWERS, c.VALUE_LOWER_BOUND)


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
    best = _one_per_moment(_scored(content_values, catalogue, day_ends, representative), representative)
    ranked = with_rank(best, [AS_OF, c.STREAMER_ID], f.desc(c.SCORE), f.asc(c.CONTENT_ID))
    return ranked.where(f.col(c.RANK) <= representative.list_length).select(
        AS_OF, c.STREAMER_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.CREATOR_ID, c.BROADCAST_ID, *_FIELDS[2:]
    )


def _scored(
    content_values: DataFrame,
    catalogue: DataFrame,
    day_ends: Mapping[date, datetime],
    representative: RepresentativeSettings,
) -> DataFrame:
    facts = catalogue.select(
        AS_OF,
        c.CONTENT_ID,
        c.CREATOR_ID,
        c.BROADCAST_ID,
        c.OFFSET_SECONDS,
        c.DURATION_SECONDS,
        c.PUBLISHED_AT,
        c.VISIBILITY,
    )
    is_public = f.coalesce(c.VISIBILITY, f.lit(Visibility.PUBLIC.value)) == f.lit(Visibility.PUBLIC.value)
    day_end = moment_of(day_ends)
    is_out = f.coalesce(f.col(c.PUBLISHED_AT) < day_end, f.lit(True))
    is_listable = f.col(c.CONTENT_KIND) != f.lit(ContentKind.LIVE.value)
    seconds = (f.unix_micros(day_end) - f.unix_micros(c.PUBLISHED_AT)) / f.lit(1e6)
    age = f.coalesce(seconds / f.lit(_DAY_SECONDS), f.lit(representative.unknown_age_days))
    least = f.when(f.col(c.VIEWERS) > 0, f.lit(representative.least_viewers)).otherwise(f.lit(0.0))
    viewers = f.greatest(f.col(c.EFFECTIVE_VIEWERS), least)
    score = f.col(c.RECENCY) * f.log1p(viewers) * f.col(c.VALUE_LOWER_BOUND)
    return (
        content_values.where(is_listable)
        .join(facts, on=[c.CONTENT_ID, AS_OF], how="left")
        .where(is_public & is_out)
        .withColumn(c.RECENCY, decay(age, representative.half_life_days))
        .withColumn(c.SCORE, score)
        .where(f.col(c.SCORE) > 0)
    )


def _one_per_moment(scored: DataFrame, representative: RepresentativeSettings) -> DataFrame:
    has_span = f.col(c.BROADCAST_ID).isNotNull() & f.col(c.OFFSET_SECONDS).isNotNull()
    has_span = has_span & f.col(c.DURATION_SECONDS).isNotNull()
    content = f.struct((-f.col(c.SCORE)).alias(_BY_SCORE), c.CONTENT_ID, c.OFFSET_SECONDS, c.DURATION_SECONDS, *_FIELDS)
    moments = (
        scored.withColumn(_ALONE, f.when(~has_span, f.col(c.CONTENT_ID)))
        .groupBy(AS_OF, c.STREAMER_ID, c.BROADCAST_ID, _ALONE)
        .agg(_stayed(f.sort_array(f.collect_list(content)), representative.duplicate_overlap).alias(_MOMENTS))
    )
    exploded = moments.select(AS_OF, c.STREAMER_ID, c.BROADCAST_ID, f.explode(_MOMENTS).alias(_MOMENT))
    fields = [f.col(_MOMENT)[name].alias(name) for name in (c.CONTENT_ID, *_FIELDS)]
    return exploded.select(AS_OF, c.STREAMER_ID, c.BROADCAST_ID, *fields)


def _stayed(contents: Column, duplicate_overlap: float) -> Column:
    """From the best score down, the contents that show no moment of one that stayed before."""

    def add(kept: Column, content: Column) -> Column:
        repeated = f.exists(kept, lambda other: _overlap(other, content) > f.lit(duplicate_overlap))
        return f.when(repeated, kept).otherwise(f.concat(kept, f.array(content)))

    return f.aggregate(contents, f.slice(contents, 1, 0), add)


def _overlap(left: Column, right: Column) -> Column:
    """Shared seconds over the longer span, 0 where a span is unknown."""
    starts = f.greatest(left[c.OFFSET_SECONDS], right[c.OFFSET_SECONDS])
    ends = f.least(
        left[c.OFFSET_SECONDS] + left[c.DURATION_SECONDS], right[c.OFFSET_SECONDS] + right[c.DURATION_SECONDS]
    )
    longer = f.greatest(left[c.DURATION_SECONDS], right[c.DURATION_SECONDS])
    return f.coalesce(f.when(longer > 0, (ends - starts) / longer), f.lit(0.0))
