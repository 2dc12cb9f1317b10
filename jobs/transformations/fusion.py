"""Weighted reciprocal rank fusion of ranked sources into one list per user.

    score(user, item) = sum over sources of  weight / (rank offset + the item's rank in that source)

Cormack, Clarke and Büttcher, SIGIR 2009. The source of an item is the one that contributes most to its score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ItemKind, Source
from contracts.settings import SurfaceSources
from jobs.transformations.arithmetic import with_rank

_KINDS: Final = tuple(ItemKind)
_KIND, _ORIGIN, _PART = "kind_code", "origin", "part_of_score"
_REMOVED: Final = -1


@dataclass(frozen=True)
class Exclusions:
    """What must not be listed, None where a surface has no such rule.

    Args:
        items: user, item: of one user.
        streamers: user, streamer: everything of a streamer, for one user.
        everywhere: item: for everybody.
    """

    items: DataFrame | None
    streamers: DataFrame
    everywhere: DataFrame | None


def fuse(
    rankings: Mapping[Source, DataFrame], excluded: Exclusions, surface: SurfaceSources, rank_offset: float
) -> DataFrame:
    """The best `surface.length` items per user: user, rank, kind, item, streamer, source, score.

    Kinds and sources travel as small numbers and the parts of a score side by side, so that one hash aggregation and
    one sort do, without strings in either.

    Args:
        rankings: Per source of `surface.weights`: user, kind, item, streamer and rank; no item twice for a user. One
            surface lists contents or streamers, so that an item's id is enough to know it.
    """
    sources = list(surface.weights)
    parts = [f"{_PART}_{code}" for code in range(len(sources))]
    rows = [_rows(rankings[source], code, surface.weights[source], rank_offset) for code, source in enumerate(sources)]
    fused = _without_excluded(_added_up(rows, excluded.items, parts), excluded)
    ranked = with_rank(fused.withColumn(c.SCORE, _total(parts)), [c.USER_ID], f.desc(c.SCORE), f.asc(c.ITEM_ID))
    return ranked.where(f.col(c.RANK) <= surface.length).select(
        c.USER_ID,
        c.RANK,
        f.get(_words(_KINDS), f.col(_KIND)).alias(c.ITEM_KIND),
        c.ITEM_ID,
        c.STREAMER_ID,
        _best(parts, sources).alias(c.SOURCE),
        c.SCORE,
    )


def _added_up(rows: list[DataFrame], removed: DataFrame | None, parts: list[str]) -> DataFrame:
    """One row per user and item; a removed item is a row of the union, which spares a join as large as the lists."""
    everything = rows if removed is None else [*rows, _removed_rows(removed)]
    together = reduce(DataFrame.unionByName, everything).repartition(c.USER_ID)
    fused = together.groupBy(c.USER_ID, c.ITEM_ID).agg(
        f.max(_KIND).alias(_KIND),
        f.max(c.STREAMER_ID).alias(c.STREAMER_ID),
        f.min(_ORIGIN).alias(_ORIGIN),
        *(f.max(f.when(f.col(_ORIGIN) == code, f.col(_PART))).alias(part) for code, part in enumerate(parts)),
    )
    return fused.where(f.col(_ORIGIN) != _REMOVED)


def _without_excluded(fused: DataFrame, excluded: Exclusions) -> DataFrame:
    allowed = fused.join(excluded.streamers, on=[c.USER_ID, c.STREAMER_ID], how="left_anti")
    if excluded.everywhere is None:
        return allowed
    return allowed.join(excluded.everywhere, on=c.ITEM_ID, how="left_anti")


def _rows(ranking: DataFrame, code: int, weight: float, rank_offset: float) -> DataFrame:
    part = f.lit(weight) / (f.lit(rank_offset) + f.col(c.RANK))
    return ranking.select(
        c.USER_ID,
        c.ITEM_ID,
        (f.array_position(_words(_KINDS), f.col(c.ITEM_KIND)) - 1).cast("int").alias(_KIND),
        c.STREAMER_ID,
        f.lit(code).alias(_ORIGIN),
        part.alias(_PART),
    )


def _removed_rows(removed: DataFrame) -> DataFrame:
    nothing = f.lit(None)
    return removed.select(
        c.USER_ID,
        c.ITEM_ID,
        nothing.cast("int").alias(_KIND),
        nothing.cast("long").alias(c.STREAMER_ID),
        f.lit(_REMOVED).alias(_ORIGIN),
        nothing.cast("double").alias(_PART),
    )


def _total(parts: list[str]) -> Column:
    """Added in the order of the sources: equal in every run."""
    return reduce(Column.__add__, [f.coalesce(part, f.lit(0.0)) for part in parts])


def _best(parts: list[str], sources: list[Source]) -> Column:
    most = f.array_max(f.array(*(f.col(part) for part in parts)))
    return f.coalesce(
        *(f.when(f.col(part) == most, f.lit(source.value)) for part, source in zip(parts, sources, strict=True))
    )


def _words(words: tuple[ItemKind, ...]) -> Column:
    return f.array(*(f.lit(word.value) for word in words))
