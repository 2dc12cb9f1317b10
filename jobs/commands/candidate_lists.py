"""`candidate_lists`: per user and surface, the fused list that publish puts into Redis."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import Source
from contracts.settings import CandidateSettings, Settings, SurfaceSources
from contracts.snapshots import Snapshot
from contracts.tables import (
    CANDIDATE_LIST,
    EARLIER_VIEW,
    POPULAR_ITEM,
    PREFERRED_STREAMER,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    USER_ACTION,
    USER_FEATURE,
)
from jobs.commands.readings import catalogue, window_views, write
from jobs.tables import Tables
from jobs.transformations.candidate_lists import (
    CandidateInputs,
    candidate_lists,
    hidden_contents,
    hidden_streamers,
    not_public,
    seen_contents,
)

NAME: Final = "candidate_lists"


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the candidate lists of each day.

    Raises:
        MissingPartitionError: a source of a surface has no partition; `without` makes lists that do not need it.
    """
    return [_run_day(tables, day, settings) for day in days]


def _run_day(tables: Tables, day: date, settings: Settings) -> Snapshot:
    tables = tables.afresh()
    lists = candidate_lists(_inputs(tables, day, settings.candidates), settings.candidates)
    return write(tables, CANDIDATE_LIST, [day], lists, settings)[0]


def without(settings: Settings, sources: Collection[Source]) -> Settings:
    """Settings in which no surface asks for these sources; a surface left with none is left out."""
    surfaces = {}
    for surface, wanted in settings.candidates.surfaces.items():
        weights = {source: weight for source, weight in wanted.weights.items() if source not in sources}
        if weights:
            surfaces[surface] = SurfaceSources(weights=weights, length=wanted.length)
    candidates = settings.candidates.model_copy(update={"surfaces": surfaces})
    return settings.model_copy(update={"candidates": candidates})


def _inputs(tables: Tables, day: date, candidates: CandidateSettings) -> CandidateInputs:
    known = catalogue(tables, [day])
    actions = tables.read_history(USER_ACTION, day)
    retrieved = read_retrieved(tables, day, candidates)
    return CandidateInputs(
        users=_users(tables.read(USER_FEATURE, [day]), retrieved),
        preferred=tables.read(PREFERRED_STREAMER, [day]),
        representative=tables.read(REPRESENTATIVE_VOD, [day]),
        popular=tables.read(POPULAR_ITEM, [day]),
        retrieved=retrieved,
        removed=_seen(tables, day, candidates).unionByName(hidden_contents(actions)),
        removed_streamers=hidden_streamers(actions),
        not_public=not_public(known),
    )


def read_retrieved(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame | None:
    """The model's candidates, or None where no surface asks for them."""
    is_wanted = any(Source.TWO_TOWER in surface.weights for surface in candidates.surfaces.values())
    return tables.read(RETRIEVED_CANDIDATE, [day]) if is_wanted else None


def _users(features: DataFrame, retrieved: DataFrame | None) -> DataFrame:
    known = features.select(c.USER_ID)
    return (known if retrieved is None else known.union(retrieved.select(c.USER_ID))).distinct()


def _seen(tables: Tables, day: date, candidates: CandidateSettings) -> DataFrame:
    seen = seen_contents(window_views(tables, [day], candidates.seen_window_days), candidates)
    earlier = tables.read_latest_existing(EARLIER_VIEW, day).select(c.USER_ID, c.CONTENT_ID)
    return seen.unionByName(earlier.where(f.lit(candidates.earlier_views_are_seen)))
