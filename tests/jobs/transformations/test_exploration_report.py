"""The report on exploration, on the example that docs/systems.md shows."""

from datetime import timedelta

import pyarrow as pa
import pytest

from contracts import columns as c
from contracts import tables as t
from jobs.transformations.exploration.report import exploration_report, outcomes_by_user
from tests.jobs.frames import NOON, rows_of

MINUTE = timedelta(minutes=1)
WINDOW = 30 * MINUTE


def view(content: int, streamer: int, minute: int, seconds: float = 60.0, **values: object) -> dict[str, object]:
    start = NOON + minute * MINUTE
    ids = {c.USER_ID: 1, c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.WATCHED_SECONDS: seconds}
    return {**ids, c.FIRST_EVENT_TIME: start, c.LAST_EVENT_TIME: start, c.IS_VALUED: False, **values}


def shown(content: int, kind: str | None, **values: object) -> dict[str, object]:
    row = {c.USER_ID: 1, c.ITEM_ID: content, c.EXPLORATION_KIND: kind, c.SURFACE: "clips_feed", c.SERVED_AT: NOON}
    return {**row, **values}


def report(impressions: list[dict[str, object]], views: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    shown_rows, view_rows = rows_of(t.IMPRESSION, *impressions), rows_of(t.VIEW_VALUE, *views)
    outcomes = outcomes_by_user(
        pa.Table.from_pylist(shown_rows, t.IMPRESSION.schema),
        pa.Table.from_pylist(view_rows, t.VIEW_VALUE.schema),
        WINDOW,
    )
    return {row[c.EXPLORATION_KIND]: row for row in exploration_report(outcomes).to_pylist()}


VIEWS = [
    view(20, 5, 1, **{c.IS_VALUED: True}),
    view(21, 5, 3),
    view(22, 5, 5),
    view(23, 5, 6, seconds=0.0),
    view(30, 6, 8),
    view(24, 5, 60),
]


def test_a_kind_has_its_plays_valued_watches_and_runs() -> None:
    impressions = [shown(20, "newcomer"), shown(23, "newcomer"), shown(30, None), shown(99, "lapsed")]
    found = report(impressions, VIEWS)

    counts = (c.USERS, c.IMPRESSIONS, c.PLAYS, c.VALUED_VIEWS, c.VALUED_RATE, c.STREAMER_RUN, c.SESSION_RUN)
    assert {kind: tuple(row[name] for name in counts) for kind, row in found.items()} == {
        "newcomer": (1, 2, 1, 1, 0.5, 2.0, 3.0),
        "none": (1, 1, 1, 0, 0.0, 0.0, 0.0),
        "lapsed": (1, 1, 0, 0, 0.0, None, None),
    }


@pytest.mark.parametrize(
    ("last", "runs"),
    [
        pytest.param(view(21, 5, 31), (1, 1), id="as long after the play as the window"),
        pytest.param(view(21, 5, 33), (1, 0), id="a pause ends the session, not the stay with a streamer"),
        pytest.param(view(21, 6, 3), (0, 1), id="another streamer ends the stay, not the session"),
        pytest.param(view(21, 5, 3, **{c.USER_ID: 2}), (0, 0), id="somebody else's plays are no run"),
        pytest.param(view(21, 5, -5), (0, 0), id="what was played before does not follow"),
    ],
)
def test_a_run_ends(last: dict[str, object], runs: tuple[int, int]) -> None:
    found = report([shown(20, "newcomer")], [view(20, 5, 1), last])
    assert (found["newcomer"][c.STREAMER_RUN], found["newcomer"][c.SESSION_RUN]) == runs


def test_a_long_play_is_no_pause() -> None:
    """Two hours in one row: the next play begins when it has ended."""
    found = report([shown(20, "newcomer")], [view(20, 5, 1, seconds=7_200.0), view(21, 5, 125)])
    assert found["newcomer"][c.SESSION_RUN] == 1.0


def test_surfaces_are_told_apart_and_nobody_known_counts_for_none() -> None:
    impressions = [shown(20, "lapsed"), shown(20, "lapsed", **{c.SURFACE: "home_clips"}), shown(20, None, user_id=None)]
    shown_rows = pa.Table.from_pylist(rows_of(t.IMPRESSION, *impressions), t.IMPRESSION.schema)
    views = pa.Table.from_pylist(rows_of(t.VIEW_VALUE, *VIEWS), t.VIEW_VALUE.schema)
    rows = exploration_report(outcomes_by_user(shown_rows, views, WINDOW)).to_pylist()
    assert [(row[c.SURFACE], row[c.EXPLORATION_KIND]) for row in rows] == [
        ("clips_feed", "lapsed"),
        ("home_clips", "lapsed"),
    ]


@pytest.mark.parametrize("views", [VIEWS, []])
def test_without_impressions_the_report_is_empty(views: list[dict[str, object]]) -> None:
    assert report([], views) == {}
