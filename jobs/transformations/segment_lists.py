"""Lists per segment of users: recent popularity within the segment, for who has no list of their own."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import SURFACE_ITEM_KINDS, Segment, Source, Surface
from contracts.settings import SurfaceSources
from jobs.transformations.arithmetic import with_rank
from jobs.transformations.as_of import AS_OF


def with_segments(views: DataFrame, users: DataFrame) -> DataFrame:
    """Every view twice: for its user's segment and for everybody.

    Args:
        users: `user_feature_v1` with `as_of`; a user it does not know counts for everybody only.
    """
    everybody = f.lit(Segment.ALL.value)
    joined = views.join(users.select(AS_OF, c.USER_ID, c.SEGMENT), on=[c.USER_ID, AS_OF], how="left")
    segments = f.array_compact(f.array(everybody, f.col(c.SEGMENT)))
    return joined.withColumn(c.SEGMENT, f.explode(segments))


def segment_lists(popularity: DataFrame, surfaces: Mapping[Surface, SurfaceSources]) -> DataFrame:
    """One list per segment and surface that shows popular items; without `available_at`.

    Args:
        popularity: Score of each item within each segment.
    """
    lists = [
        _surface_list(popularity, surface, sources.length)
        for surface, sources in surfaces.items()
        if Source.POPULAR in sources.weights
    ]
    return reduce(DataFrame.unionByName, lists).select(
        AS_OF, c.SEGMENT, c.SURFACE, c.RANK, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SOURCE, c.SCORE
    )


def _surface_list(popularity: DataFrame, surface: Surface, length: int) -> DataFrame:
    kinds = [kind.value for kind in SURFACE_ITEM_KINDS[surface]]
    listed = popularity.where(f.col(c.ITEM_KIND).isin(*kinds))
    ranked = with_rank(listed, [AS_OF, c.SEGMENT], f.desc(c.SCORE), f.asc(c.ITEM_ID))
    best = ranked.where(f.col(c.RANK) <= length)
    return best.withColumns({c.SURFACE: f.lit(surface.value), c.SOURCE: f.lit(Source.POPULAR.value)})
