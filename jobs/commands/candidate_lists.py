"""`candidate_lists`: per user and surface, the fused list that publish puts into Redis."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import DataFrame

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.names import Source
from contracts.schema import Table
from contracts.settings import CandidateSettings, Settings
from contracts.snapshots import Snapshot
from contracts.tables import (
    CANDIDATE_LIST,
    CONTENT,
    EARLIER_VIEW,
    EXPLORATION_CANDIDATE,
    LIVE_CANDIDATE,
    POPULAR_ITEM,
    PREFERRED_STREAMER,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    USER_ACTION,
    USER_FEATURE,
)
from jobs.block_writes import write_blocks
from jobs.commands.readings import catalogue, publish_time, window_views
from jobs.tables import Tables
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
from jobs.transformations.popular_items import not_public

NAME: Final = "candidate_lists"
_BLOCK_ROWS: Final = 2_000_000
"""Rows that a worker holds at once: 100 MB, and as much again while it sorts them."""
_POPULAR: Final = (c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SCORE)
_PUBLISHED: Final = [c.STREAMER_ID, c.CONTENT_ID, c.CONTENT_KIND, c.PUBLISHED_AT, c.VISIBILITY]
_REPRESENTATIVE: Final = (c.STREAMER_ID, c.RANK, c.CONTENT_KIND, c.CONTENT_ID)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the candidate lists of each day.

    Raises:
        MissingPartitionError: a source of a surface has no partition; `without` makes lists that do not need it.
    """
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    inputs = _inputs(tables, day, settings.candidates)
    lists = fused_lists(_everybody(tables, day, settings), settings.candidates, has_model=inputs.retrieved is not None)
    blocks = 1 + sum(snapshot.rows for snapshot in tables.inputs_for(day)) // _BLOCK_ROWS
    return write_blocks(tables, CANDIDATE_LIST, day, source_rows(inputs).repartition(blocks, c.USER_ID), lists)


def without(settings: Settings, sources: Collection[Source]) -> Settings:
    """Settings in which no surface asks for these sources; a surface left with none is left out."""
    surfaces = {}
    for surface, wanted in settings.candidates.surfaces.items():
        weights = {source: weight for source, weight in wanted.weights.items() if source not in sources}
        if weights:
            surfaces[surface] = wanted.model_copy(update={"weights": weights})
    candidates = settings.candidates.model_copy(update={"surfaces": surfaces})
    return settings.model_copy(update={"candidates": candidates})


def _inputs(tables: Tables, day: date, candidates: CandidateSettings) -> CandidateInputs:
    retrieved = read_retrieved(tables, day, candidates)
    actions = tables.read_history(USER_ACTION, day)
    return CandidateInputs(
        users=tables.read(USER_FEATURE, [day]),
        preferred=tables.read(PREFERRED_STREAMER, [day]),
        retrieved=retrieved,
        neighbors=tables.read(LIVE_CANDIDATE, [day]) if _wants(candidates, Source.LIVE_NEIGHBORS) else None,
        explored=tables.read(EXPLORATION_CANDIDATE, [day]) if _wants(candidates, *EXPLORED) else None,
        removed=_removed(tables, day, candidates).unionByName(hidden_contents(actions)),
        removed_streamers=hidden_streamers(actions),
    )


def _everybody(tables: Tables, day: date, settings: Settings) -> Everybody:
    representative, contents = _read(tables, REPRESENTATIVE_VOD, day, _REPRESENTATIVE), _contents(tables, day)
    end, exploration = day_bounds(day, settings.platform.time_zone)[1], settings.exploration
    since = end - timedelta(days=exploration.newest_days)
    newest = newest_contents(contents, since, end, exploration.newest_per_streamer)
    return Everybody(
        popular=_read(tables, POPULAR_ITEM, day, _POPULAR),
        representative=representative,
        explored=explored_contents(representative, newest),
        fresh=fresh_contents(contents, end, settings.candidates.freshness_half_life_days),
        not_public=not_public(catalogue(tables, [day])).select(c.CONTENT_ID).toArrow(),
        model_version=_model_version(tables, day, settings.candidates),
        available_at=publish_time(day, settings),
    )


def _contents(tables: Tables, day: date) -> pa.Table:
    latest = tables.warehouse.latest(CONTENT, day)
    if latest is None:
        return CONTENT.schema.empty_table().select(_PUBLISHED)
    return tables.warehouse.read_snapshot(CONTENT, latest, _PUBLISHED)


def _read(tables: Tables, table: Table, day: date, columns: Sequence[str]) -> pa.Table:
    """Without Spark: a row per popular item, or some per streamer, are not worth a query."""
    snapshot = tables.warehouse.require(table, day)
    reference, _ = snapshot.reference
    tables.inputs[reference] = snapshot
    return tables.warehouse.read_snapshot(table, snapshot, columns)


def _model_version(tables: Tables, day: date, candidates: CandidateSettings) -> str | None:
    """A retrieval is one model's: its first row tells the version."""
    if not _wants(candidates, Source.TWO_TOWER):
        return None
    parts = sorted(tables.warehouse.require(RETRIEVED_CANDIDATE, day).path.glob("*.parquet"))
    versions = ds.dataset(parts, format="parquet").head(1, columns=[c.MODEL_VERSION]).column(0).to_pylist()
    return versions[0] if versions else None


def _wants(candidates: CandidateSettings, *sources: Source) -> bool:
    return any(source in surface.weights for surface in candidates.surfaces.values() for source in sources)


def read_retrieved(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame | None:
    """The model's candidates, or None where no surface asks for them."""
    return tables.read(RETRIEVED_CANDIDATE, [day]) if _wants(candidates, Source.TWO_TOWER) else None


def _removed(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame:
    seen = seen_contents(window_views(tables, [day], candidates.seen_window_days), candidates)
    if not candidates.earlier_views_are_seen:
        return seen
    return seen.unionByName(tables.read_latest_existing(EARLIER_VIEW, day).select(c.USER_ID, c.CONTENT_ID))
