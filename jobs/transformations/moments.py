"""Which contents may be listed, and which of them show the same moment of a broadcast."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Visibility
from jobs.transformations.as_of import AS_OF, moment_of

_FACTS: Final = (
    c.CREATOR_ID,
    c.BROADCAST_ID,
    c.OFFSET_SECONDS,
    c.DURATION_SECONDS,
    c.PUBLISHED_AT,
    c.VISIBILITY,
)
_ALONE, _STAYED, _CONTENT = "alone", "stayed", "content"


def listable(content_values: DataFrame, catalogue: DataFrame, day_ends: Mapping[date, datetime]) -> DataFrame:
    """The VODs and clips that are public and out, with what the catalogue knows of them.

    Args:
        content_values: `content_value_v1` with `as_of`.
        catalogue: `content_v1` with `as_of`; a content that it does not know is public and of unknown age.
        day_ends: End of each day: what comes later is not out.
    """
    is_public = f.coalesce(c.VISIBILITY, f.lit(Visibility.PUBLIC.value)) == f.lit(Visibility.PUBLIC.value)
    is_out = f.coalesce(f.col(c.PUBLISHED_AT) < moment_of(day_ends), f.lit(True))
    return (
        content_values.where(f.col(c.CONTENT_KIND) != f.lit(ContentKind.LIVE.value))
        .join(catalogue.select(AS_OF, c.CONTENT_ID, *_FACTS), on=[c.CONTENT_ID, AS_OF], how="left")
        .where(is_public & is_out)
    )


def one_per_moment(contents: DataFrame, within: Sequence[str], order: str, duplicate_overlap: float) -> DataFrame:
    """From the first of each group on, the contents that show no moment of one that stayed before; each once.

    Two contents of one broadcast show the same moment where their spans overlap by more than `duplicate_overlap` of the
    longer one. What has no broadcast, offset or length shows no known moment.

    Args:
        contents: With `content_id`, `broadcast_id`, `offset_seconds` and `duration_seconds`.
        within: Columns of a group.
        order: Column that ranks a group's contents, the smallest first; ties by `content_id`.
    """
    spans = (c.BROADCAST_ID, c.OFFSET_SECONDS, c.DURATION_SECONDS)
    has_span = f.col(spans[0]).isNotNull() & f.col(spans[1]).isNotNull() & f.col(spans[2]).isNotNull()
    groups = [*within, c.BROADCAST_ID, _ALONE]
    first = (order, c.CONTENT_ID)
    others = [name for name in contents.columns if name not in (*groups, *first)]
    grouped = contents.withColumn(_ALONE, f.when(~has_span, f.col(c.CONTENT_ID))).groupBy(*groups)
    ordered = f.sort_array(f.collect_list(f.struct(*first, *others)))
    exploded = grouped.agg(_stayed(ordered, duplicate_overlap).alias(_STAYED)).select(
        *within, c.BROADCAST_ID, f.explode(_STAYED).alias(_CONTENT)
    )
    return exploded.select(*within, c.BROADCAST_ID, f"{_CONTENT}.*")


def _stayed(contents: Column, duplicate_overlap: float) -> Column:
    def add(kept: Column, content: Column) -> Column:
        repeated = f.exists(kept, lambda other: _is_repeated(other, content, duplicate_overlap))
        return f.when(repeated, kept).otherwise(f.concat(kept, f.array(content)))

    return f.aggregate(contents, f.slice(contents, 1, 0), add)


def _is_repeated(left: Column, right: Column, duplicate_overlap: float) -> Column:
    is_same = left[c.CONTENT_ID] == right[c.CONTENT_ID]
    return is_same | (_overlap(left, right) > f.lit(duplicate_overlap))


def _overlap(left: Column, right: Column) -> Column:
    """Shared seconds over the longer span, 0 where a span is unknown."""
    starts = f.greatest(left[c.OFFSET_SECONDS], right[c.OFFSET_SECONDS])
    ends = f.least(
        left[c.OFFSET_SECONDS] + left[c.DURATION_SECONDS], right[c.OFFSET_SECONDS] + right[c.DURATION_SECONDS]
    )
    longer = f.greatest(left[c.DURATION_SECONDS], right[c.DURATION_SECONDS])
    return f.coalesce(f.when(longer > 0, (ends - starts) / longer), f.lit(0.0))
