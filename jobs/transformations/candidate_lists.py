"""The lists that publish puts into Redis: per user and surface, sources fused and what must not be shown left out."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.errors import SettingsError
from contracts.names import Action, ExplorationKind, ItemKind, Source
from contracts.settings import CandidateSettings
from jobs.transformations.arithmetic import exact_sum
from jobs.transformations.fused_lists import (
    EXPLORED,
    KIND_CODE,
    KINDS,
    ORIGIN,
    Everybody,
    FusedLists,
    Origin,
    SurfaceLists,
)


@dataclass(frozen=True)
class CandidateInputs:
    """What is known of single users; each frame as its table says.

    Args:
        retrieved: None when the lists are to be made without a model.
        neighbors: `live_candidate_v1`, or None where no surface asks for them.
        explored: `exploration_candidate_v1`, or None likewise.
        users: `user_id` of everybody who gets lists, also without a retrieved candidate.
        removed: user and content that this user must not get: seen, hidden.
        removed_streamers: user and streamer that this user has hidden or blocked.
    """

    users: DataFrame
    preferred: DataFrame
    retrieved: DataFrame | None
    neighbors: DataFrame | None
    explored: DataFrame | None
    removed: DataFrame
    removed_streamers: DataFrame


def source_rows(inputs: CandidateInputs) -> DataFrame:
    """All that `FusedLists` needs of a user, in rows of one shape: user, origin, kind code, item, streamer, score."""
    streamer = f.lit(KINDS.index(ItemKind.STREAMER))
    rows = [
        _rows(inputs.users, Origin.USER),
        _rows(inputs.preferred, Origin.PREFERRED, streamer, c.STREAMER_ID, c.STREAMER_ID, f.col(c.SCORE)),
        _rows(inputs.removed, Origin.REMOVED, item=c.CONTENT_ID),
        _rows(inputs.removed_streamers, Origin.REMOVED_STREAMER, streamer=c.STREAMER_ID),
    ]
    if inputs.retrieved is not None:
        scored = (_kind_code(), c.ITEM_ID, c.STREAMER_ID, f.col(c.SCORE))
        rows.append(_rows(inputs.retrieved, Origin.RETRIEVED, *scored))
    if inputs.neighbors is not None:
        one_by_one = f.coalesce(2 * f.col(c.RETURN_RANK) - 1, 2 * f.col(c.DISCOVERY_RANK))  # of each quota in turn
        score = -one_by_one.cast("double")
        rows.append(_rows(inputs.neighbors, Origin.NEIGHBOR, streamer, c.STREAMER_ID, c.STREAMER_ID, score))
    if inputs.explored is not None:
        ranked = (streamer, c.STREAMER_ID, c.STREAMER_ID, 1 / f.col(c.RANK))
        rows.append(_rows(inputs.explored, _exploration_origin(), *ranked))
    return reduce(DataFrame.unionByName, rows)


def fused_lists(everybody: Everybody, candidates: CandidateSettings, *, has_model: bool) -> FusedLists:
    """What makes lists of source rows.

    Raises:
        SettingsError: a surface asks for a source that there is not.
    """
    everywhere = [Source.PREFERRED, Source.POPULAR, *([Source.TWO_TOWER] if has_model else []), *EXPLORED]
    surfaces = []
    for surface, sources in candidates.surfaces.items():
        lists = SurfaceLists(surface, sources)
        known = [*everywhere, *([Source.LIVE_NEIGHBORS] if lists.lists_streamers else [])]
        unknown = [source.value for source in sources.weights if source not in known]
        if unknown:
            there = ", ".join(source.value for source in known)
            raise SettingsError(
                f"candidates.surfaces.{surface}: no source {', '.join(unknown)} here; there are {there}"
            )
        surfaces.append(lists)
    return FusedLists(tuple(surfaces), candidates.rank_offset, everybody)


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
    return wanted.select(c.USER_ID, f.col(c.TARGET_ID).alias(c.CONTENT_ID))


def hidden_streamers(actions: DataFrame) -> DataFrame:
    """user, streamer that the user has hidden or blocked."""
    wanted = actions.where(_is_hiding() & (f.col(c.TARGET_KIND) == f.lit(ItemKind.STREAMER.value)))
    return wanted.select(c.USER_ID, f.col(c.TARGET_ID).alias(c.STREAMER_ID))


def _is_hiding() -> Column:
    return f.col(c.ACTION).isin(Action.HIDE.value, Action.BLOCK.value)


def _kind_code() -> Column:
    others, last = list(enumerate(KINDS))[:-1], f.lit(len(KINDS) - 1)
    return reduce(
        lambda code, kind: f.when(f.col(c.ITEM_KIND) == kind[1].value, f.lit(kind[0])).otherwise(code), others, last
    )


def _exploration_origin() -> Column:
    """Each kind is a source of its own."""
    origin = f.lit(Origin.LAPSED.value)
    for kind in ExplorationKind:
        is_kind = f.col(c.EXPLORATION_KIND) == f.lit(kind.value)
        origin = f.when(is_kind, f.lit(EXPLORED[kind.source].value)).otherwise(origin)
    return origin


def _rows(
    frame: DataFrame,
    origin: Origin | Column,
    kind: Column | None = None,
    item: str | None = None,
    streamer: str | None = None,
    score: Column | None = None,
) -> DataFrame:
    """Numbers only, none of them null: numpy takes them over as they are."""
    return frame.select(
        c.USER_ID,
        (f.lit(origin.value) if isinstance(origin, Origin) else origin).alias(ORIGIN),
        (f.lit(0) if kind is None else kind).alias(KIND_CODE),
        (f.lit(0).cast("long") if item is None else f.col(item)).alias(c.ITEM_ID),
        (f.lit(0).cast("long") if streamer is None else f.col(streamer)).alias(c.STREAMER_ID),
        (f.lit(0.0) if score is None else score).alias(c.SCORE),
    )
