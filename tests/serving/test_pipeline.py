from dataclasses import dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from contracts.names import Source, Surface
from contracts.payload import SOURCES
from contracts.settings import ServingSettings, Settings
from serving.frame import Frame
from serving.pipeline import Outcome, Wiring, run
from serving.query import Level, Query
from serving.stages import Fetched
from serving.stores.user_reads import UserRow
from serving.wiring import surfaces
from tests.serving.queries import columns, ids, listed, query, state

WIRED = surfaces(Settings(serving=ServingSettings()))
CLIPS = WIRED[Surface.HOME_CLIPS]


@dataclass(frozen=True)
class BrokenScorer:
    """Says NaN and infinity of two candidates."""

    def score(self, frame: Frame, query: Query) -> npt.NDArray[np.float32]:
        assert len(frame) == 4, query
        return np.array([np.nan, 1.0, np.inf, 2.0], np.float32)


@dataclass(frozen=True)
class Lane:
    """Proposes two contents for every request."""

    level: Level = Level.TARGET

    def fetch(self, query: Query) -> Fetched:
        offered = columns([90, 10], [190, 110])
        return Fetched(msgspec.structs.replace(offered, sources=np.full(2, SOURCES.index(Source.FRESH), np.uint8)))


def asked(limit: int, **more: object) -> Query:
    return query(limit=limit, user=UserRow(packed=listed([10, 11, 12, 13], [110, 111, 112, 113])), **more)  # type: ignore[arg-type]


def shown(outcome: Outcome) -> list[int]:
    return [int(item) for item in outcome.frame.candidates.item_ids]


def test_a_score_that_is_no_number_ranks_last() -> None:
    assert shown(run(replace(CLIPS, scorer=BrokenScorer()), asked(4))) == [13, 11, 10, 12]


def test_equal_scores_keep_the_order_of_the_list() -> None:
    assert shown(run(CLIPS, asked(3))) == [10, 11, 12]


def test_the_runner_times_and_counts_every_stage_in_order() -> None:
    records = run(CLIPS, asked(3)).trace.records
    assert [(stage, name) for stage, name, *_ in records] == [
        ("sources", "FreshSource"),
        ("sources", "PersonalListSource"),
        ("hydrators", "CatalogueHydrator"),
        ("filters", "ExcludedFilter"),
        ("filters", "SeenFilter"),
        ("filters", "HiddenFilter"),
        ("filters", "VisibilityFilter"),
        ("filters", "LanguageFilter"),
        ("filters", "AgeFilter"),
        ("caps", "DuplicateCap"),
        ("caps", "MomentCap"),
        ("caps", "StreamerCap"),
        ("scorers", "PublishedScorer"),
        ("rerankers", "SourceReranker"),
    ]
    assert [left for *_, left in records] == [0] + [4] * 12 + [3]
    assert all(nanoseconds >= 0 for _, _, nanoseconds, *_ in records)


def test_each_drop_is_counted_at_the_filter_that_made_it() -> None:
    user = UserRow(packed=listed([10, 11, 12, 13], [110, 111, 112, 113]), seen=ids(11), hidden_contents=ids(11, 12))
    about = query(limit=3, user=user, excluded=ids(10))
    counts = {name: (entered, left) for _, name, _, entered, left in run(CLIPS, about).trace.records}
    names = ("ExcludedFilter", "SeenFilter", "HiddenFilter", "VisibilityFilter")
    assert [counts[name] for name in names] == [(4, 3), (3, 2), (2, 1), (1, 1)]


ORDER = {
    Surface.HOME_LIVE: (
        "NotLive Excluded Seen Hidden Visibility Language Age",
        "Duplicate Streamer",
    ),
    Surface.HOME_CLIPS: ("Excluded Seen Hidden Visibility Language Age", "Duplicate Moment Streamer"),
    Surface.CLIPS_FEED: ("Excluded Seen Hidden Visibility Language Age", "Duplicate Moment Streamer"),
    Surface.FAVORITES_CLIPS: ("Excluded Seen Hidden Visibility Language Age", "Duplicate Moment Streamer"),
    Surface.WATCH_NEXT: ("Excluded Seen Hidden Visibility Language Age", "Duplicate Moment Streamer"),
    Surface.CHANNEL_VODS: ("Excluded Seen Hidden Visibility Language Age", "Duplicate Moment"),
    Surface.RELATED_STREAMERS: ("Excluded Hidden Language Age", "Duplicate"),
    Surface.CONTINUE_WATCHING: ("Excluded Seen Hidden Visibility Language Age", "Duplicate"),
}
"""As docs/serving.md has it."""


@pytest.mark.parametrize("surface", list(Surface))
def test_every_surface_has_its_filters_and_caps_in_the_documented_order(surface: Surface) -> None:
    wiring = WIRED[surface]
    filters = " ".join(type(rule).__name__.removesuffix("Filter") for rule in wiring.filters)
    caps = " ".join(type(cap).__name__.removesuffix("Cap") for cap in wiring.caps)
    assert (filters, caps) == ORDER[surface]


def with_lane(wiring: Wiring) -> Wiring:
    return replace(wiring, lanes=(Lane(),))


def test_a_lane_is_asked_beside_the_first_list_and_what_both_have_stands_once() -> None:
    outcome = run(with_lane(CLIPS), asked(5))
    assert sorted(shown(outcome)) == [10, 11, 12, 13, 90]
    assert {Level.TARGET, Level.PERSONAL} == {list(Level)[level] for level in outcome.frame.levels}


def test_a_full_lane_does_not_keep_the_first_list_from_being_asked() -> None:
    names = [name for _, name, *_ in run(with_lane(CLIPS), asked(2)).trace.records]
    assert "PersonalListSource" in names
    assert "SegmentListSource" not in names


def test_problems_of_store_user_and_mirrors_are_noted_first() -> None:
    user = UserRow(problems=["torn"])
    about = query(user=user, known=state(problems=("stale",)), problem="away")
    assert run(CLIPS, about).trace.notes[:3] == ["away", "torn", "stale"]
