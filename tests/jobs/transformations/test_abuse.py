from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import WATCH_EVENT
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.views import views
from tests.jobs.frames import DAY, NOON, as_of_day, collect, frame

RULES = ValuationSettings(
    near_zero_burst=2,
    max_user_views_per_day=4,
    overlap_tolerance=1.5,
    max_single_streamer_views=2,
    max_live_hours_per_day=2.0,
)
HOUR = 3_600.0


def _watch(content: int, minute: float, seconds: float, **other: object) -> dict[str, object]:
    start = NOON + timedelta(minutes=minute)
    ids = {c.CONTENT_ID: content, c.STREAMER_ID: content, c.EVENT_TIME: start}
    return {**ids, c.WATCHED_SECONDS: float(seconds), **other}


def _live(content: int, minute: float, seconds: float) -> dict[str, object]:
    return _watch(content, minute, seconds, **{c.CONTENT_KIND: "live"})


HONEST = [_watch(1, 0, 600), _watch(2, 10, 600), _watch(3, 20, 0)]
TWO_PLAYERS = [_watch(1, 0, 600), _watch(2, 0, 600)]
TWO_DAYS_IN_ONE = [_watch(1, -720, 86_400), _watch(2, 660, 86_400)]
LEFT_ON = [_live(1, 0, 3 * HOUR), _live(2, 180, HOUR), _watch(3, 240, 60)]
SKIPS = [*(_watch(content, content, 1.0) for content in (1, 2, 3)), _watch(9, 9, 60.0)]
ONE_STREAMER = [_watch(content, 2 * content, 30.0, **{c.STREAMER_ID: 7}) for content in range(1, 5)]
ONE_STREAMER_TWICE = ONE_STREAMER[:2]
SHOWN_ANOTHER = [*ONE_STREAMER, _watch(9, 20, 0.0)]
BUSY = [_watch(content, content, 30.0) for content in range(1, 9)]

DAYS_OF_A_USER = [
    (HONEST, [(1.0, None)] * 3),
    (TWO_PLAYERS, [(0.5, "overlapping_views")] * 2),
    (TWO_DAYS_IN_ONE, [(0.5, "impossible_seconds")] * 2),
    (LEFT_ON, [(0.5, "idle_live")] * 2 + [(1.0, None)]),
    (SKIPS, [(pytest.approx(2 / 3), "near_zero_burst")] * 3 + [(1.0, None)]),
    (ONE_STREAMER, [(0.5, "single_streamer")] * 4),
    (ONE_STREAMER_TWICE, [(1.0, None)] * 2),
    (SHOWN_ANOTHER, [(0.5, "single_streamer")] * 5),
    (BUSY, [(0.5, "user_cap")] * 8),
]


def test_each_rule_bounds_what_a_users_day_counts_in_all(spark: SparkSession) -> None:
    rows = [{c.USER_ID: user, **row} for user, (day, _) in enumerate(DAYS_OF_A_USER) for row in day]
    versions = views(frame(spark, WATCH_EVENT, *rows), "UTC", 30)
    weighted = with_weights(as_of_day(versions), day_totals(versions, [DAY], 3, RULES), RULES)
    found = collect(weighted, c.USER_ID, c.CONTENT_ID, c.WEIGHT, c.WEIGHT_REASON)
    by_user: dict[int, list[Any]] = {user: [] for user in range(len(DAYS_OF_A_USER))}
    for user, _, weight, reason in found:
        by_user[user].append((weight, reason))
    for user, (_, expected) in enumerate(DAYS_OF_A_USER):
        assert by_user[user] == expected
