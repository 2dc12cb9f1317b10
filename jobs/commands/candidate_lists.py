"""`candidate_lists`: per user and surface, the fused list that publish puts into Redis."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import DataFrame

from contracts import columns as c
from contracts.names import Source, Visibility
from contracts.settings import CandidateSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import (
    CANDIDATE_LIST,
    CONTENT,
    EARLIER_VIEW,
    EXPLORATION_CANDIDATE,
    LIVE_CANDIDATE,
    POPULAR_ITEM,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    USER_ACTION,
    USER_FEATURE,
    VIEW_VALUE,
)
from jobs.block_writes import blocks_of_users, write_blocks
from jobs.commands.readings import (
    end_of,
    partitions,
    preferred_need,
    preferred_of_days,
    publish_time,
    read,
    read_small,
    window_views,
)
from jobs.needs import History, Latest, Need, OfDay, Period, Window
from jobs.tables import Tables
from jobs.transformations.as_of import AS_OF
from jobs.transformations.candidate_lists import (
    CandidateInputs,
    fused_lists,
    hidden_contents,
    hidden_streamers,
    seen_contents,
    source_rows,
)
from jobs.transformations.fused_lists import EXPLORED, Everybody
from jobs.transformations.newest_contents import explored_contents, fresh_contents, newest_contents

NAME: Final = "candidate_lists"
_POPULAR: Final = (c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SCORE)
_PUBLISHED: Final = [c.STREAMER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.PUBLISHED_AT, c.VISIBILITY]
_REPRESENTATIVE: Final = (c.STREAMER_ID, c.RANK, c.CONTENT_KIND, c.CONTENT_ID)


class _Needs(NamedTuple):
    """None where no surface asks for it."""

    retrieved: OfDay | None
    neighbors: OfDay | None
    explored: OfDay | None
    users: OfDay
    preferred: Period
    popular: OfDay
    representative: OfDay
    views: Window
    earlier: Latest | None
    actions: History
    contents: Latest


def needs(settings: Settings) -> tuple[Need, ...]:
    """What a day reads."""
    return tuple(need for need in _needs(settings) if need is not None)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the candidate lists of each day.

    Raises:
        MissingPartitionError: a source of a surface has no partition; `without` makes lists that do not need it.
    """
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    inputs = user_inputs(tables, day, settings)
    lists = fused_lists(everybody(tables, day, settings), settings.candidates, has_model=inputs.retrieved is not None)
    return write_blocks(tables, CANDIDATE_LIST, day, blocks_of_users(tables, day, source_rows(inputs)), lists)


def without(settings: Settings, sources: Collection[Source]) -> Settings:
    """Settings in which no surface asks for these sources; a surface left with none is left out."""
    surfaces = {}
    for surface, wanted in settings.candidates.surfaces.items():
        weights = {source: weight for source, weight in wanted.weights.items() if source not in sources}
        if weights:
            surfaces[surface] = wanted.model_copy(update={"weights": weights})
    candidates = settings.candidates.model_copy(update={"surfaces": surfaces})
    return settings.model_copy(update={"candidates": candidates})


def _needs(settings: Settings) -> _Needs:
    candidates = settings.candidates
    wanted = {source for surface in candidates.surfaces.values() for source in surface.weights}
    return _Needs(
        retrieved=OfDay(RETRIEVED_CANDIDATE, required=True) if Source.TWO_TOWER in wanted else None,
        neighbors=OfDay(LIVE_CANDIDATE, required=True) if Source.LIVE_NEIGHBORS in wanted else None,
        explored=OfDay(EXPLORATION_CANDIDATE, required=True) if wanted & set(EXPLORED) else None,
        users=OfDay(USER_FEATURE, required=True),
        preferred=preferred_need(settings.preferences),
        popular=OfDay(POPULAR_ITEM, required=True),
        representative=OfDay(REPRESENTATIVE_VOD, required=True),
        views=Window(VIEW_VALUE, required=True, window_days=candidates.seen_window_days),
        earlier=Latest(EARLIER_VIEW) if candidates.earlier_views_are_seen else None,
        actions=History(USER_ACTION),
        contents=Latest(CONTENT),
    )


def user_inputs(tables: Tables, day: date, settings: Settings) -> CandidateInputs:
    """What the day's sources say of single users; what no surface asks for is not read.

    Raises:
        MissingPartitionError: a source that a surface asks for has no partition.
    """
    needed, candidates = _needs(settings), settings.candidates
    retrieved = None if needed.retrieved is None else read(tables, needed.retrieved, [day])
    actions = read(tables, needed.actions, [day])
    return CandidateInputs(
        users=read(tables, needed.users, [day]),
        preferred=preferred_of_days(tables, needed.preferred, [day], settings.preferences).drop(AS_OF),
        retrieved=retrieved,
        neighbors=None if needed.neighbors is None else read(tables, needed.neighbors, [day]),
        explored=None if needed.explored is None else read(tables, needed.explored, [day]),
        removed=_removed(tables, needed, day, candidates).unionByName(hidden_contents(actions)),
        removed_streamers=hidden_streamers(actions),
    )


def everybody(tables: Tables, day: date, settings: Settings) -> Everybody:
    """What the day's sources say to all users.

    Raises:
        MissingPartitionError: a source has no partition.
    """
    needed = _needs(settings)
    representative = read_small(tables, needed.representative, day, _REPRESENTATIVE)
    contents = read_small(tables, needed.contents, day, _PUBLISHED)
    end = end_of(tables, day, settings)
    newest = newest_contents(
        contents, end - timedelta(days=settings.exploration.newest_days), end, settings.exploration.newest_per_streamer
    )
    return Everybody(
        popular=read_small(tables, needed.popular, day, _POPULAR),
        representative=representative,
        explored=explored_contents(representative, newest),
        fresh=fresh_contents(contents, end, settings.candidates.freshness_half_life_days),
        not_public=contents.filter(pc.not_equal(contents.column(c.VISIBILITY), Visibility.PUBLIC.value)).select(
            [c.CONTENT_ID]
        ),
        model_version=_model_version(tables, needed.retrieved, day),
        available_at=publish_time(tables, day, settings),
    )


def _snapshot(tables: Tables, need: OfDay, day: date) -> Snapshot:
    (dt,) = partitions(tables, need, [day])[day]
    return tables.warehouse.require(need.table, dt)


def _model_version(tables: Tables, need: OfDay | None, day: date) -> str | None:
    """A retrieval is one model's: its first row tells the version."""
    if need is None:
        return None
    parts = sorted(_snapshot(tables, need, day).path.glob("*.parquet"))
    versions = ds.dataset(parts, format="parquet").head(1, columns=[c.MODEL_VERSION]).column(0).to_pylist()
    return versions[0] if versions else None


def _removed(tables: Tables, needed: _Needs, day: date, candidates: CandidateSettings) -> DataFrame:
    seen = seen_contents(window_views(tables, needed.views, [day]), candidates)
    if needed.earlier is None:
        return seen
    return seen.unionByName(read(tables, needed.earlier, [day]).select(c.USER_ID, c.CONTENT_ID))
