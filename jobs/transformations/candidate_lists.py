"""The lists that publish puts into Redis: per user and surface, sources fused and what must not be shown left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import SettingsError
from contracts.names import SURFACE_ITEM_KINDS, Action, ItemKind, Source, Surface, Visibility
from contracts.settings import CandidateSettings, SurfaceSources
from jobs.transformations.arithmetic import exact_sum, with_rank
from jobs.transformations.fusion import Exclusions, fuse


@dataclass(frozen=True)
class CandidateInputs:
    """What the lists are made of; each frame as its table says.

    Args:
        retrieved: None when the lists are to be made without a model.
        users: `user_id` of everybody who gets lists.
        removed: user and content that this user must not get: seen, hidden.
        removed_streamers: user and streamer that this user has hidden or blocked.
        not_public: `content_id` of what nobody may get.
    """

    users: DataFrame
    preferred: DataFrame
    representative: DataFrame
    popular: DataFrame
    retrieved: DataFrame | None
    removed: DataFrame
    removed_streamers: DataFrame
    not_public: DataFrame


def candidate_lists(inputs: CandidateInputs, candidates: CandidateSettings) -> DataFrame:
    """All users' lists on all surfaces; without `available_at`."""
    lists = [
        _surface_list(inputs, surface, sources, candidates.rank_offset).withColumn(c.SURFACE, f.lit(surface.value))
        for surface, sources in candidates.surfaces.items()
    ]
    together = reduce(DataFrame.unionByName, lists).withColumn(c.EXPLORATION_KIND, f.lit(None).cast("string"))
    return together.crossJoin(f.broadcast(_model_version(inputs))).select(
        c.USER_ID,
        c.SURFACE,
        c.RANK,
        c.ITEM_KIND,
        c.ITEM_ID,
        c.STREAMER_ID,
        c.SOURCE,
        c.EXPLORATION_KIND,
        c.SCORE,
        c.MODEL_VERSION,
    )


def seen_contents(views: DataFrame, candidates: CandidateSettings) -> DataFrame:
    """user, content that was watched for the set share or seconds, all days of the window added up."""
    completion = exact_sum(f.coalesce(c.COMPLETION, f.lit(0.0)))
    totals = views.groupBy(c.USER_ID, c.CONTENT_ID).agg(
        exact_sum(f.col(c.WATCHED_SECONDS)).alias(c.WATCHED_SECONDS), completion.alias(c.COMPLETION)
    )
    is_seen = (f.col(c.COMPLETION) >= f.lit(candidates.seen_share)) | (
        f.col(c.WATCHED_SECONDS) >= f.lit(candidates.seen_seconds)
    )
    return totals.where(is_seen).select(c.USER_ID, c.CONTENT_ID)


def hidden_contents(actions: DataFrame) -> DataFrame:
    """user, content that the user has hidden."""
    wanted = actions.where(_is_hiding() & (f.col(c.TARGET_KIND) != f.lit(ItemKind.STREAMER.value)))
    return wanted.select(c.USER_ID, f.col(c.TARGET_ID).alias(c.CONTENT_ID)).distinct()


def hidden_streamers(actions: DataFrame) -> DataFrame:
    """user, streamer that the user has hidden or blocked."""
    wanted = actions.where(_is_hiding() & (f.col(c.TARGET_KIND) == f.lit(ItemKind.STREAMER.value)))
    return wanted.select(c.USER_ID, f.col(c.TARGET_ID).alias(c.STREAMER_ID)).distinct()


def not_public(catalogue: DataFrame) -> DataFrame:
    """`content_id` of private and removed contents."""
    return catalogue.where(f.col(c.VISIBILITY) != f.lit(Visibility.PUBLIC.value)).select(c.CONTENT_ID)


def _is_hiding() -> Column:
    return f.col(c.ACTION).isin(Action.HIDE.value, Action.BLOCK.value)


def _surface_list(inputs: CandidateInputs, surface: Surface, sources: SurfaceSources, rank_offset: float) -> DataFrame:
    kinds = SURFACE_ITEM_KINDS[surface]
    rankings = _rankings(inputs, kinds, sources)
    unknown = [source.value for source in sources.weights if source not in rankings]
    if unknown:
        known = ", ".join(source.value for source in rankings)
        raise SettingsError(f"candidates.surfaces.{surface}: no source {', '.join(unknown)} here; there are {known}")
    return fuse(rankings, _excluded(inputs, kinds), sources, rank_offset)


def _excluded(inputs: CandidateInputs, kinds: tuple[ItemKind, ...]) -> Exclusions:
    """Seen, hidden and private are said of contents; a streamer may come again, unless the user has hidden them."""
    if ItemKind.STREAMER in kinds:
        return Exclusions(items=None, streamers=inputs.removed_streamers, everywhere=None)
    removed = inputs.removed.withColumnRenamed(c.CONTENT_ID, c.ITEM_ID)
    banned = inputs.not_public.withColumnRenamed(c.CONTENT_ID, c.ITEM_ID)
    return Exclusions(items=removed, streamers=inputs.removed_streamers, everywhere=banned)


def _rankings(
    inputs: CandidateInputs, kinds: tuple[ItemKind, ...], sources: SurfaceSources
) -> Mapping[Source, DataFrame]:
    lists_streamers = ItemKind.STREAMER in kinds
    rankings = {
        Source.PREFERRED: _preferred(inputs) if lists_streamers else _preferred_contents(inputs, sources.length),
        Source.POPULAR: _popular(inputs, kinds, sources.length),
    }
    if inputs.retrieved is None:
        return rankings
    return {**rankings, Source.TWO_TOWER: _retrieved(inputs.retrieved, kinds)}


def _preferred(inputs: CandidateInputs) -> DataFrame:
    return inputs.preferred.select(
        c.USER_ID,
        f.lit(ItemKind.STREAMER.value).alias(c.ITEM_KIND),
        f.col(c.STREAMER_ID).alias(c.ITEM_ID),
        c.STREAMER_ID,
        c.RANK,
    )


def _preferred_contents(inputs: CandidateInputs, length: int) -> DataFrame:
    """Representative contents of preferred streamers, by the preference over the content's place at its streamer."""
    contents = inputs.representative.select(
        c.STREAMER_ID, c.RANK, f.col(c.CONTENT_KIND).alias(c.ITEM_KIND), f.col(c.CONTENT_ID).alias(c.ITEM_ID)
    )
    liked = inputs.preferred.select(c.USER_ID, c.STREAMER_ID, c.SCORE)
    joined = liked.join(contents, on=c.STREAMER_ID, how="inner").withColumn(c.SCORE, f.col(c.SCORE) / f.col(c.RANK))
    return _by_score(joined.drop(c.RANK)).where(f.col(c.RANK) <= length)


def _popular(inputs: CandidateInputs, kinds: tuple[ItemKind, ...], length: int) -> DataFrame:
    """The same short ranking for everybody."""
    items = _of_kinds(inputs.popular, kinds).drop(c.RANK)
    best = items.orderBy(f.desc(c.SCORE), f.asc(c.ITEM_ID)).limit(length)
    ranked = with_rank(best, [], f.desc(c.SCORE), f.asc(c.ITEM_ID))
    return inputs.users.crossJoin(f.broadcast(ranked.select(c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.RANK)))


def _retrieved(retrieved: DataFrame, kinds: tuple[ItemKind, ...]) -> DataFrame:
    """Ranked again: a surface may mix kinds, and scores are comparable within a user."""
    return _by_score(_of_kinds(retrieved, kinds).drop(c.RANK))


def _by_score(frame: DataFrame) -> DataFrame:
    ranked = with_rank(frame, [c.USER_ID], f.desc(c.SCORE), f.asc(c.ITEM_ID))
    return ranked.select(c.USER_ID, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.RANK)


def _of_kinds(frame: DataFrame, kinds: tuple[ItemKind, ...]) -> DataFrame:
    return frame.where(f.col(c.ITEM_KIND).isin(*(kind.value for kind in kinds)))


def _model_version(inputs: CandidateInputs) -> DataFrame:
    """One row with the version behind the retrieved candidates, or null."""
    if inputs.retrieved is None:
        return inputs.users.agg(f.lit(None).cast("string").alias(c.MODEL_VERSION))
    return inputs.retrieved.agg(f.max(c.MODEL_VERSION).alias(c.MODEL_VERSION))
