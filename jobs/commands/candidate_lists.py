"""`candidate_lists`: per user and surface, the fused list that publish puts into Redis."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import DataFrame

from contracts import columns as c
from contracts.names import Source
from contracts.schema import Table
from contracts.settings import CandidateSettings, Settings, SurfaceSources
from contracts.snapshots import Snapshot
from contracts.tables import (
    CANDIDATE_LIST,
    EARLIER_VIEW,
    LIVE_CANDIDATE,
    POPULAR_ITEM,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    USER_ACTION,
    USER_FEATURE,
)
from jobs.block_writes import write_blocks
from jobs.commands.readings import catalogue, preferred_of_days, publish_time, window_views
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
from jobs.transformations.fused_lists import Everybody
from jobs.transformations.popular_items import not_public

NAME: Final = "candidate_lists"
_BLOCK_ROWS: Final = 2_000_000
"""Rows that a worker holds at once: 100 MB, and as much again while it sorts them."""
_POPULAR: Final = (c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SCORE)
_REPRESENTATIVE: Final = (c.STREAMER_ID, c.RANK, c.CONTENT_KIND, c.CONTENT_ID)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the candidate lists of each day.

    Raises:
        MissingPartitionError: a source of a surface has no partition; `without` makes lists that do not need it.
    """
    return [_run_day(tables.afresh(), day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    inputs = _inputs(tables, day, settings)
    lists = fused_lists(_everybody(tables, day, settings), settings.candidates, has_model=inputs.retrieved is not None)
    blocks = 1 + sum(snapshot.rows for snapshot in tables.inputs_for(day)) // _BLOCK_ROWS
    return write_blocks(tables, CANDIDATE_LIST, day, source_rows(inputs).repartition(blocks, c.USER_ID), lists)


def without(settings: Settings, sources: Collection[Source]) -> Settings:
    """Settings in which no surface asks for these sources; a surface left with none is left out."""
    surfaces = {}
    for surface, wanted in settings.candidates.surfaces.items():
        weights = {source: weight for source, weight in wanted.weights.items() if source not in sources}
        if weights:
            surfaces[surface] = SurfaceSources(weights=weights, length=wanted.length)
    candidates = settings.candidates.model_copy(update={"surfaces": surfaces})
    return settings.model_copy(update={"candidates": candidates})


def _inputs(tables: Tables, day: date, settings: Settings) -> CandidateInputs:
    candidates = settings.candidates
    retrieved = read_retrieved(tables, day, candidates)
    actions = tables.read_history(USER_ACTION, day)
    return CandidateInputs(
        users=tables.read(USER_FEATURE, [day]),
        preferred=preferred_of_days(tables, [day], settings).drop(AS_OF),
        retrieved=retrieved,
        neighbors=tables.read(LIVE_CANDIDATE, [day]) if _wants(Source.LIVE_NEIGHBORS, candidates) else None,
        removed=_removed(tables, day, candidates).unionByName(hidden_contents(actions)),
        removed_streamers=hidden_streamers(actions),
    )


def _everybody(tables: Tables, day: date, settings: Settings) -> Everybody:
    return Everybody(
        popular=_read(tables, POPULAR_ITEM, day, _POPULAR),
        representative=_read(tables, REPRESENTATIVE_VOD, day, _REPRESENTATIVE),
        not_public=not_public(catalogue(tables, [day])).select(c.CONTENT_ID).toArrow(),
        model_version=_model_version(tables, day, settings.candidates),
        available_at=publish_time(day, settings),
    )


def _read(tables: Tables, table: Table, day: date, columns: Sequence[str]) -> pa.Table:
    """Without Spark: a row per popular item, or some per streamer, are not worth a query."""
    snapshot = tables.warehouse.require(table, day)
    reference, _ = snapshot.reference
    tables.inputs[reference] = snapshot
    return tables.warehouse.read_snapshot(table, snapshot, columns)


def _model_version(tables: Tables, day: date, candidates: CandidateSettings) -> str | None:
    """A retrieval is one model's: its first row tells the version."""
    if not _wants(Source.TWO_TOWER, candidates):
        return None
    parts = sorted(tables.warehouse.require(RETRIEVED_CANDIDATE, day).path.glob("*.parquet"))
    versions = ds.dataset(parts, format="parquet").head(1, columns=[c.MODEL_VERSION]).column(0).to_pylist()
    return versions[0] if versions else None


def _wants(source: Source, candidates: CandidateSettings) -> bool:
    return any(source in surface.weights for surface in candidates.surfaces.values())


def read_retrieved(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame | None:
    """The model's candidates, or None where no surface asks for them."""
    return tables.read(RETRIEVED_CANDIDATE, [day]) if _wants(Source.TWO_TOWER, candidates) else None


def _removed(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame:
    seen = seen_contents(window_views(tables, [day], candidates.seen_window_days), candidates)
    if not candidates.earlier_views_are_seen:
        return seen
    return seen.unionByName(tables.read_latest_existing(EARLIER_VIEW, day).select(c.USER_ID, c.CONTENT_ID))
