"""Three streamers: 0 is on from 100 to 200 and from 300 to 400, 1 from 100 to 400, 2 from 350 to 400."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from contracts import columns as c
from contracts.errors import NoExamplesError
from contracts.names import ContentKind
from contracts.schema import TIMESTAMP
from models.protocols.live import HIT, NDCG, SETTINGS, Towers, added, judge, popularity, repeat, report
from models.protocols.live_log import BROADCAST_COLUMNS, LiveLog, live_log

DAY = 86_400
BROADCASTS = [(10, 100, 100, 200), (11, 101, 100, 400), (12, 100, 300, 400), (13, 102, 350, 400)]


def _seconds(values: list[int | None]) -> pa.Array:
    return pa.array([None if value is None else value * 1_000_000 for value in values], TIMESTAMP)


def _broadcasts(rows: list[tuple[int, int, int, int | None]]) -> pa.Table:
    ids, streamers, begins, ends = zip(*rows, strict=True)
    return pa.table(
        [pa.array(ids), pa.array(streamers), _seconds(list(begins)), _seconds(list(ends))], BROADCAST_COLUMNS
    )


def _events(rows: list[tuple[int, int, int]], kind: str = ContentKind.LIVE) -> pa.Table:
    """User, broadcast, second."""
    users, broadcasts, seconds = zip(*rows, strict=True)
    return pa.table(
        {
            c.USER_ID: users,
            c.CONTENT_ID: broadcasts,
            c.CONTENT_KIND: [str(kind)] * len(rows),
            c.EVENT_TIME: _seconds(list(seconds)),
            c.WATCHED_SECONDS: [30.0] * len(rows),
        }
    )


def _log(rows: list[tuple[int, int, int]]) -> LiveLog:
    return live_log(_events(rows), _broadcasts(BROADCASTS), "UTC")


def test_rows_of_one_watch_are_a_visit_that_begins_with_the_first() -> None:
    log = _log([(7, 11, 180), (7, 11, 120), (7, 10, 150), (5, 10, 110)])
    assert log.user.tolist() == [0, 1, 1]
    assert log.second.tolist() == [110, 120, 150]
    assert log.streamer.tolist() == [0, 1, 0]


def test_a_watch_outside_its_broadcast_is_no_visit() -> None:
    log = _log([(7, 10, 200), (7, 10, 99), (7, 10, 199), (7, 99, 150)])
    assert log.second.tolist() == [199]


def test_a_broadcast_without_an_end_is_on_to_the_last_second() -> None:
    log = live_log(_events([(7, 10, 500)]), _broadcasts([(10, 100, 100, None)]), "UTC")
    assert log.second.tolist() == [500]


@pytest.mark.parametrize("events", [_events([(7, 99, 150)]), _events([(7, 10, 150)], ContentKind.VOD)])
def test_a_log_without_live_watches_is_a_named_error(events: pa.Table) -> None:
    with pytest.raises(NoExamplesError, match="live watch"):
        live_log(events, _broadcasts(BROADCASTS), "UTC")


def test_who_is_live_at_a_moment() -> None:
    log = _log([(7, 10, 150)])
    assert log.live_at(np.array([99, 100, 199, 200, 350, 399, 400])).astype(int).tolist() == [
        [0, 0, 0],
        [1, 1, 0],
        [1, 1, 0],
        [0, 1, 0],
        [1, 1, 1],
        [1, 1, 1],
        [0, 0, 0],
    ]


def test_histories_hold_what_was_visited_before_and_nothing_after() -> None:
    log = _log([(7, 10, 110), (7, 11, 120), (7, 12, 310), (5, 11, 130)])
    assert log.histories(2).tolist() == [[0, 0], [0, 0], [1, 0], [2, 1]]
    assert log.is_return().tolist() == [False, False, False, True]
    assert [found.tolist() for found in log.before(np.array([3, 1]))] == [[0, 0], [2, 1]]


def test_only_the_live_are_ranked_and_equal_scores_share_their_places() -> None:
    log = _log([(7, 10, 110), (5, 12, 360)])
    nothing = judge(lambda visits: torch.zeros(len(visits), 3), log, 0)
    # Two are live at 110: the first place of two; three at 360: the second.
    assert nothing["all"] == {"visits": 2, HIT: 0.5, NDCG: pytest.approx((1 + 1 / np.log2(3)) / 2)}
    worst = torch.tensor([0.0, 1.0, 2.0])
    assert judge(lambda visits: worst.expand(len(visits), -1), log, 0)["all"][NDCG] == pytest.approx(
        (1 / np.log2(3) + 1 / np.log2(4)) / 2
    )


def test_the_repeat_score_adds_visits_that_halve_each_week() -> None:
    week = 7 * DAY
    broadcasts = [(10, 100, 0, 3 * week), (11, 101, 0, 3 * week), (12, 100, 0, 3 * week)]
    log = live_log(_events([(7, 10, 0), (7, 12, week), (7, 11, 2 * week)]), _broadcasts(broadcasts), "UTC")
    assert repeat(log)(np.array([2, 0])).tolist() == [pytest.approx([np.log1p(0.75), 0.0]), [0.0, 0.0]]


def test_popularity_counts_the_days_before() -> None:
    broadcasts = [(10, 100, 0, 5 * DAY), (11, 101, 0, 5 * DAY)]
    log = live_log(_events([(7, 10, 5), (5, 10, 6), (5, 11, DAY + 5)]), _broadcasts(broadcasts), "UTC")
    assert popularity(log, 1)(np.array([0])).tolist() == [[2.0, 0.0]]
    assert added(popularity(log, 1), popularity(log, 2), 2.0)(np.array([0])).tolist() == [[6.0, 2.0]]


def _followers(days: int = 5) -> LiveLog:
    """Even users come back to the first of two tastes, odd ones to the second; ten streamers, always on, in turns."""
    rng = np.random.default_rng(1)
    broadcasts, events = [], []
    for day in range(days):
        for streamer in range(10):
            begin = day * DAY + 3_600 * streamer
            broadcasts.append((100 * day + streamer, streamer, begin, begin + 6 * 3_600))
        for user in range(60):
            for streamer in rng.choice(np.arange(user % 2, 10, 2), 2, replace=False):
                at = day * DAY + 3_600 * int(streamer) + int(rng.integers(0, 6 * 3_600))
                events.append((user, 100 * day + int(streamer), at))
    return live_log(_events(events), _broadcasts(broadcasts), "UTC")


def test_every_ranking_is_reported_for_returns_and_discoveries() -> None:
    small = SETTINGS.model_copy(update={"dim": 8, "batch_size": 128, "epochs": 4, "device": "cpu"})
    found = report(_followers(), small)
    assert found["two_tower"]["all"][NDCG] > found["popularity"]["all"][NDCG] + 0.1
    for name in ("popularity", "repeat", "two_tower_without_availability", "two_tower", "two_tower_repeat"):
        groups = found[name]
        assert groups["all"]["visits"] == groups["return"]["visits"] + groups["new"]["visits"] == 120


def test_nothing_of_the_day_that_is_foreseen_is_learnt() -> None:
    log = _followers()
    data = Towers(log, SETTINGS, before=4)._data()
    assert int(data.examples.day.max()) == 3
    assert len(data.histories.user) == len(log)
