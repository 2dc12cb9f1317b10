from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import WATCH_EVENT
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.views import views
from tests.jobs.frames import DAY, NOON, as_of_day, collect, frame

RULES = ValuationSettings(near_zero_burst=2, max_user_views_per_day=4, overlap_tolerance=1.5)


def _watch(user: int, content: int, minute: float, seconds: float) -> dict[str, object]:
    start = NOON + timedelta(minutes=minute)
    return {c.USER_ID: user, c.CONTENT_ID: content, c.EVENT_TIME: start, c.WATCHED_SECONDS: float(seconds)}


def test_each_rule_bounds_what_a_users_day_counts_in_all(spark: SparkSession) -> None:
    honest = [_watch(1, 1, 0, 600), _watch(1, 2, 10, 600), _watch(1, 3, 20, 0)]
    two_players = [_watch(2, content, 0, 600) for content in (1, 2)]
    two_days_in_one = [_watch(3, 1, -720, 86_400), _watch(3, 2, 660, 86_400)]
    skipper = [_watch(4, content, content, 1.0) for content in (1, 2, 3)] + [_watch(4, 9, 9, 60.0)]
    busy = [_watch(5, content, content, 30.0) for content in range(1, 9)]
    events = frame(spark, WATCH_EVENT, *honest, *two_players, *two_days_in_one, *skipper, *busy)
    versions = views(events, "UTC", 30)
    weighted = with_weights(as_of_day(versions), day_totals(versions, [DAY], 3, RULES), RULES)
    found = collect(weighted, c.USER_ID, c.CONTENT_ID, c.WEIGHT, c.WEIGHT_REASON)
    by_user = {user: [(row[2], row[3]) for row in found if row[0] == user] for user in range(1, 6)}
    assert by_user[1] == [(1.0, None)] * 3
    assert by_user[2] == [(0.5, "overlapping_views")] * 2
    assert by_user[3] == [(0.5, "impossible_seconds")] * 2
    assert by_user[4] == [(pytest.approx(2 / 3), "near_zero_burst")] * 3 + [(1.0, None)]
    assert by_user[5] == [(0.5, "user_cap")] * 8
