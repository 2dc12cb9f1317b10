from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.errors import SettingsError
from contracts.names import Source, Surface
from contracts.schema import Table
from contracts.settings import CandidateSettings, SurfaceSources
from contracts.tables import (
    CONTENT,
    EXPLORATION_CANDIDATE,
    LIVE_CANDIDATE,
    POPULAR_ITEM,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    USER_ACTION,
    USER_FEATURE,
    VIEW_VALUE,
)
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
from tests.jobs.frames import NOON, as_of_day, frame, preferred, rows_of

ROW = (c.USER_ID, c.RANK, c.ITEM_KIND, c.ITEM_ID, c.SOURCE)


def _item(kind: str, item: int, score: float, streamer: int = 5, **other: object) -> dict[str, object]:
    return {c.ITEM_KIND: kind, c.ITEM_ID: item, c.SCORE: score, c.STREAMER_ID: streamer, **other}


@dataclass(frozen=True)
class Inputs:
    """What single users and what all of them get their lists from."""

    users: CandidateInputs
    everybody: Everybody = field(repr=False)


@pytest.fixture(scope="module")
def inputs(spark: SparkSession) -> Inputs:
    """User 1 prefers streamer 5, who is represented by clips 20 and 21; user 2 is known by name only."""
    retrieved = [_item("clip", 22, 0.9), _item("vod", 20, 0.5), _item("streamer", 6, 0.4, streamer=6)]
    popular = [_item("clip", 22, 9.0), _item("vod", 20, 8.0), _item("streamer", 6, 7.0, streamer=6)]
    representative = [{c.RANK: 1, c.CONTENT_ID: 20, c.CONTENT_KIND: "vod"}, {c.RANK: 2, c.CONTENT_ID: 21}]
    neighbors = [
        {c.USER_ID: 1, c.STREAMER_ID: 8, c.DISCOVERY_RANK: 1},
        {c.USER_ID: 1, c.STREAMER_ID: 5, c.RETURN_RANK: 1},
        {c.USER_ID: 1, c.STREAMER_ID: 7, c.RETURN_RANK: 2},
    ]
    explored = [
        {c.USER_ID: 1, c.STREAMER_ID: 8, c.EXPLORATION_KIND: "newcomer"},
        {c.USER_ID: 1, c.STREAMER_ID: 9, c.EXPLORATION_KIND: "lapsed", c.RANK: 2},
        {c.USER_ID: 1, c.STREAMER_ID: 6, c.EXPLORATION_KIND: "lapsed"},
    ]
    users = CandidateInputs(
        users=frame(spark, USER_FEATURE, {c.USER_ID: 1}, {c.USER_ID: 2}).select(c.USER_ID),
        preferred=preferred(spark, (1, 5, 1, 2.0)),
        retrieved=frame(spark, RETRIEVED_CANDIDATE, *retrieved),
        neighbors=frame(spark, LIVE_CANDIDATE, *neighbors),
        explored=frame(spark, EXPLORATION_CANDIDATE, *explored),
        removed=hidden_contents(frame(spark, USER_ACTION)),
        removed_streamers=hidden_streamers(frame(spark, USER_ACTION)),
    )
    everybody = Everybody(
        popular=_arrow(POPULAR_ITEM, *popular),
        representative=_arrow(REPRESENTATIVE_VOD, *({c.STREAMER_ID: 5, **row} for row in representative)),
        explored=_arrow(REPRESENTATIVE_VOD, {c.STREAMER_ID: 8, c.RANK: 1, c.CONTENT_ID: 80}).select(
            [c.STREAMER_ID, c.RANK, c.CONTENT_KIND, c.CONTENT_ID]
        ),
        fresh=pa.table({c.CONTENT_ID: pa.array([21], pa.int64()), c.RECENCY: [1.0]}),
        not_public=not_public(as_of_day(frame(spark, CONTENT))).toArrow(),
        model_version="3",
        available_at=NOON,
    )
    return Inputs(users, everybody)


def _arrow(table: Table, *rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(rows_of(table, *rows), table.schema)


def _lists(inputs: Inputs, settings: CandidateSettings, *names: str) -> list[tuple[object, ...]]:
    """The lists' rows, in order."""
    lists = fused_lists(inputs.everybody, settings, has_model=inputs.users.retrieved is not None)
    rows = pa.concat_tables(lists(source_rows(inputs.users).toArrow())).select(list(names)).to_pylist()
    return sorted(tuple(row.values()) for row in rows)


def _settings(surface: Surface, length: int = 10, **weights: float) -> CandidateSettings:
    sources = SurfaceSources(weights={Source(name): weight for name, weight in weights.items()}, length=length)
    return CandidateSettings(surfaces={surface: sources}, rank_offset=1)


def test_sources_are_fused_by_weighted_reciprocal_ranks(inputs: Inputs) -> None:
    settings = _settings(Surface.HOME_CLIPS, two_tower=1.0, preferred=2.0, popular=1.0)
    assert _lists(inputs, settings, *ROW, c.SCORE, c.MODEL_VERSION) == [
        (1, 1, "vod", 20, "preferred", pytest.approx(2 / 2 + 1 / 3 + 1 / 3), "3"),
        (1, 2, "clip", 22, "two_tower", pytest.approx(1 / 2 + 1 / 2), "3"),
        (1, 3, "clip", 21, "preferred", pytest.approx(2 / 3), "3"),
        (2, 1, "clip", 22, "popular", pytest.approx(1 / 2), "3"),
        (2, 2, "vod", 20, "popular", pytest.approx(1 / 3), "3"),
    ]


def test_live_surfaces_hold_streamers_and_favorites_only_those_of_preferred_streamers(inputs: Inputs) -> None:
    live = _settings(Surface.HOME_LIVE, length=1, preferred=1.5, two_tower=1.0, popular=0.5)
    favorites = _settings(Surface.FAVORITES_CLIPS, preferred=1.0)
    both = live.model_copy(update={"surfaces": live.surfaces | favorites.surfaces})
    assert _lists(inputs, both, c.SURFACE, *ROW) == [
        ("favorites_clips", 1, 1, "vod", 20, "preferred"),
        ("favorites_clips", 1, 2, "clip", 21, "preferred"),
        ("home_live", 1, 1, "streamer", 5, "preferred"),
        ("home_live", 2, 1, "streamer", 6, "popular"),
    ]


def test_the_two_quotas_of_live_neighbours_take_turns(inputs: Inputs) -> None:
    live = _settings(Surface.HOME_LIVE, live_neighbors=1.0)
    assert _lists(inputs, live, *ROW) == [
        (1, 1, "streamer", 5, "live_neighbors"),
        (1, 2, "streamer", 8, "live_neighbors"),
        (1, 3, "streamer", 7, "live_neighbors"),
    ]


def test_live_neighbours_are_no_source_of_contents(inputs: Inputs) -> None:
    with pytest.raises(SettingsError, match="home_clips: no source live_neighbors here"):
        _lists(inputs, _settings(Surface.HOME_CLIPS, live_neighbors=1.0), *ROW)


def test_exploration_shows_contents_or_streamers_and_says_its_kind(inputs: Inputs) -> None:
    feed = _settings(Surface.CLIPS_FEED, **{"exploration/newcomer": 1.0, "preferred": 2.0})
    live = _settings(Surface.HOME_LIVE, **{"exploration/lapsed": 1.0, "exploration/newcomer": 0.5})
    row = (c.RANK, c.ITEM_ID, c.SOURCE, c.EXPLORATION_KIND)
    assert _lists(inputs, feed, *row) == [
        (1, 20, "preferred", None),
        (2, 21, "preferred", None),
        (3, 80, "exploration/newcomer", "newcomer"),
    ]
    assert _lists(inputs, live, *row) == [
        (1, 6, "exploration/lapsed", "lapsed"),
        (2, 9, "exploration/lapsed", "lapsed"),
        (3, 8, "exploration/newcomer", "newcomer"),
    ]


def test_seen_hidden_and_private_contents_never_enter_a_list(spark: SparkSession, inputs: Inputs) -> None:
    views = frame(spark, VIEW_VALUE, *_views())
    actions = frame(
        spark,
        USER_ACTION,
        {c.USER_ID: 2, c.ACTION: "hide", c.TARGET_KIND: "clip", c.TARGET_ID: 22},
        {c.USER_ID: 2, c.ACTION: "like", c.TARGET_KIND: "vod", c.TARGET_ID: 20},
    )
    private = frame(spark, CONTENT, {c.CONTENT_ID: 21, c.VISIBILITY: "private"}, {c.CONTENT_ID: 20})
    removed = seen_contents(views, CandidateSettings()).unionByName(hidden_contents(actions))
    guarded = Inputs(
        replace(inputs.users, removed=removed),
        replace(inputs.everybody, not_public=not_public(as_of_day(private)).toArrow()),
    )
    settings = _settings(Surface.HOME_CLIPS, two_tower=1.0, preferred=2.0, popular=1.0)
    assert _lists(guarded, settings, *ROW) == [
        (1, 1, "clip", 22, "two_tower"),
        (2, 1, "vod", 20, "popular"),
    ]


def _views() -> list[dict[str, object]]:
    """User 1 has seen 20 on two days together, 22 hardly; streamer 6 is no content 6."""
    parts = [(20, 0.3, 9.0), (20, 0.3, 9.0), (22, 0.4, 9.0), (6, 0.9, 900.0)]
    return [
        {c.USER_ID: 1, c.CONTENT_ID: content, c.COMPLETION: completion, c.WATCHED_SECONDS: seconds}
        for content, completion, seconds in parts
    ]


def test_a_blocked_streamer_and_their_contents_never_enter_a_list(spark: SparkSession, inputs: Inputs) -> None:
    block = {c.USER_ID: 1, c.ACTION: "block", c.TARGET_KIND: "streamer", c.TARGET_ID: 5}
    blocked = hidden_streamers(frame(spark, USER_ACTION, block))
    guarded = Inputs(replace(inputs.users, removed_streamers=blocked), inputs.everybody)
    clips = _settings(Surface.HOME_CLIPS, popular=1.0)
    live = _settings(Surface.HOME_LIVE, preferred=1.0, popular=1.0)
    both = clips.model_copy(update={"surfaces": clips.surfaces | live.surfaces})
    found = _lists(guarded, both, c.SURFACE, c.USER_ID, c.ITEM_ID)
    assert found == [("home_clips", 2, 20), ("home_clips", 2, 22), ("home_live", 1, 6), ("home_live", 2, 6)]


def test_a_streamer_surface_does_not_filter_by_what_was_seen(spark: SparkSession, inputs: Inputs) -> None:
    seen = seen_contents(frame(spark, VIEW_VALUE, *_views()), CandidateSettings())
    live = _settings(Surface.HOME_LIVE, popular=1.0)
    guarded = Inputs(replace(inputs.users, removed=seen), inputs.everybody)
    assert _lists(guarded, live, c.USER_ID, c.ITEM_ID) == [(1, 6), (2, 6)]


def test_a_source_without_candidates_for_a_surface_is_a_named_error(inputs: Inputs) -> None:
    with pytest.raises(SettingsError, match="home_clips: no source fresh here; there are preferred, popular"):
        _lists(inputs, _settings(Surface.HOME_CLIPS, fresh=1.0), *ROW)
