import math
import random
from datetime import timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from contracts import columns as c
from contracts.settings import PreferenceSettings
from contracts.tables import PREFERRED_STREAMER, VIEW_VALUE, WATCH_EVENT
from jobs.transformations.as_of import AS_OF
from jobs.transformations.preference_state import NewDays, changes, punctual_views, totals
from jobs.transformations.preferred_streamers import lists_on_each_day, preferred_on, preferred_streamers
from jobs.transformations.views import views
from tests.jobs.frames import DAY, NOON, as_of_day, collect, day, frame

SETTINGS = PreferenceSettings(half_life_days=2, saturation_seconds=100, day_weight=0.5, min_score=0.4, list_length=2)


def _view(user: int, streamer: int, seconds: float, back: int = 0, kind: str = "live") -> dict[str, object]:
    of_day = {c.VIEW_DAY: day(back), c.DT: day(back).isoformat(), c.CONTENT_KIND: kind}
    return {c.USER_ID: user, c.STREAMER_ID: streamer, c.WATCHED_SECONDS: seconds, **of_day}


def _preferred(spark: SparkSession, *rows: dict[str, object]) -> DataFrame:
    """Whom the users of these views prefer on DAY."""
    new = NewDays(day(20), [DAY], SETTINGS)
    changed = totals(changes(punctual_views(frame(spark, VIEW_VALUE, *rows), new), new), None, new)
    return preferred_on(preferred_streamers(changed, None, new), SETTINGS)


def test_the_score_is_decayed_concave_watch_time_plus_distinct_days(spark: SparkSession) -> None:
    found = _preferred(
        spark,
        _view(1, 5, 300.0),
        _view(1, 5, 100.0, kind="clip"),
        _view(1, 5, 100.0, back=2),
        _view(1, 6, 100.0),
        _view(1, 7, 0.0),
    ).collect()
    assert [(row[c.RANK], row[c.STREAMER_ID], row[c.LAST_VIEW_DAY]) for row in found] == [(1, 5, DAY), (2, 6, DAY)]
    today = math.log(4) + 0.5 * math.log(2) + 0.5
    two_days_ago = (math.log(2) + 0.5) / 2
    assert found[0][c.SCORE] == pytest.approx(today + two_days_ago, abs=1e-11)


def test_ten_short_visits_beat_one_night_left_running(spark: SparkSession) -> None:
    visits = [_view(1, 6, 100.0, back=back) for back in range(5)]
    assert collect(_preferred(spark, _view(1, 5, 1000.0), *visits), c.RANK, c.STREAMER_ID) == [(1, 6), (2, 5)]


def test_too_little_evidence_gives_no_preferred_streamers(spark: SparkSession) -> None:
    one_view = [_view(1, 5, 4000.0)]
    only_noise = [_view(2, streamer, 3.0, back=9) for streamer in (5, 6, 7)]
    assert _preferred(spark, *one_view, *only_noise).collect() == []


def test_equal_scores_rank_by_id_and_the_list_has_a_length(spark: SparkSession) -> None:
    equal = [_view(1, streamer, 100.0) for streamer in (8, 6, 7)]
    assert collect(_preferred(spark, *equal), c.RANK, c.STREAMER_ID) == [(1, 6), (2, 7)]


def test_how_the_log_cuts_a_view_into_rows_does_not_matter(spark: SparkSession) -> None:
    rng = random.Random(3)
    whole, parts = [], []
    for _ in range(20):
        ids = {c.USER_ID: rng.randrange(3), c.CONTENT_ID: rng.randrange(30), c.CONTENT_KIND: "live"}
        times = [NOON + timedelta(minutes=minutes) for minutes in sorted(rng.sample(range(-600, 600), 5))]
        seconds = [rng.randrange(1, 10**7) / 10_000 for _ in times]
        row = {**ids, c.STREAMER_ID: ids[c.CONTENT_ID] % 7}
        whole.append({**row, c.EVENT_TIME: times[0], c.WATCHED_SECONDS: sum(seconds)})
        parts += [{**row, c.EVENT_TIME: at, c.WATCHED_SECONDS: part} for at, part in zip(times, seconds, strict=True)]
    rng.shuffle(parts)
    new = NewDays(DAY, [DAY], SETTINGS)
    one, other = (
        totals(changes(punctual_views(views(frame(spark, WATCH_EVENT, *rows), "UTC", 3), new), new), None, new)
        for rows in (whole, parts)
    )
    names = (c.USER_ID, c.STREAMER_ID, c.UNITS, c.VIEWS, c.DISTINCT_DAYS)
    assert collect(one, *names) == collect(other, *names)


def test_a_list_holds_until_the_users_next_one_and_no_longer_than_its_period(spark: SparkSession) -> None:
    settings = SETTINGS.model_copy(update={"full_every_days": 5, "min_score": 0.0})
    start = DAY - timedelta(days=DAY.toordinal() % 5)
    days = [start + timedelta(days=later) for later in range(6)]
    written = ((1, 5, days[0]), (1, 6, days[2]), (2, 7, days[1]), (1, 8, days[5]))
    alike = {c.UNITS: [10**12], c.LAST_VIEW_DAYS: [days[0]]}
    lists = frame(
        spark,
        PREFERRED_STREAMER,
        *(
            {c.USER_ID: user, c.VIEWS: 9, c.STREAMER_IDS: [streamer], c.DT: dt.isoformat(), **alike}
            for user, streamer, dt in written
        ),
    )
    found = collect(preferred_on(lists_on_each_day(lists, days, settings), settings), c.USER_ID, AS_OF, c.STREAMER_ID)
    of_first = [(1, day, 5 if day < days[2] else 8 if day == days[5] else 6) for day in days]
    assert found == [*of_first, *((2, day, 7) for day in days[1:5])]


def test_a_score_is_decayed_to_the_day_of_reading(spark: SparkSession) -> None:
    settings = SETTINGS.model_copy(update={"full_every_days": 1})
    row = {c.VIEWS: 9, c.STREAMER_IDS: [5, 6], c.UNITS: [10**12, 3 * 10**11], c.LAST_VIEW_DAYS: [DAY, DAY]}
    found = preferred_on(as_of_day(frame(spark, PREFERRED_STREAMER, row)), settings)
    assert collect(found, c.STREAMER_ID, c.RANK, c.SCORE) == [(5, 1, 1.0)]  # 0.3 is below the minimum
    later = settings.model_copy(update={"full_every_days": DAY.toordinal() - 2})  # DAY is the third of its period
    assert collect(preferred_on(as_of_day(frame(spark, PREFERRED_STREAMER, row)), later), c.SCORE) == [(0.5,)]
