import math

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import PreferenceSettings
from contracts.tables import VIEW_VALUE
from jobs.transformations.preferred_streamers import preferred_streamers
from tests.jobs.frames import DAY, as_of_day, collect, day, frame

SETTINGS = PreferenceSettings(half_life_days=2, saturation_seconds=100, day_weight=0.5, min_score=0.4, list_length=2)


def _view(user: int, streamer: int, seconds: float, back: int = 0, kind: str = "live") -> dict[str, object]:
    of_day = {c.VIEW_DAY: day(back), c.DT: day(back).isoformat(), c.CONTENT_KIND: kind}
    return {c.USER_ID: user, c.STREAMER_ID: streamer, c.WATCHED_SECONDS: seconds, **of_day}


def test_the_score_is_decayed_concave_watch_time_plus_distinct_days(spark: SparkSession) -> None:
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 5, 300.0),
        _view(1, 5, 100.0, kind="clip"),
        _view(1, 5, 100.0, back=2),
        _view(1, 6, 100.0),
        _view(1, 7, 0.0),
    )
    found = preferred_streamers(as_of_day(views), SETTINGS).collect()
    assert [(row[c.RANK], row[c.STREAMER_ID]) for row in found] == [(1, 5), (2, 6)]
    best = found[0]
    today = math.log(4) + 0.5 * math.log(2) + 0.5
    two_days_ago = (math.log(2) + 0.5) / 2
    assert best[c.SCORE] == pytest.approx(today + two_days_ago, abs=1e-6)
    assert (best[c.DISTINCT_DAYS], best[c.WATCHED_SECONDS], best[c.LAST_VIEW_DAY]) == (2, 500.0, DAY)


def test_ten_short_visits_beat_one_night_left_running(spark: SparkSession) -> None:
    visits = [_view(1, 6, 100.0, back=back) for back in range(5)]
    views = frame(spark, VIEW_VALUE, _view(1, 5, 1000.0), *visits)
    assert collect(preferred_streamers(as_of_day(views), SETTINGS), c.RANK, c.STREAMER_ID) == [(1, 6), (2, 5)]


def test_too_little_evidence_gives_no_preferred_streamers(spark: SparkSession) -> None:
    one_view = [_view(1, 5, 4000.0)]
    only_noise = [_view(2, streamer, 3.0, back=9) for streamer in (5, 6, 7)]
    views = frame(spark, VIEW_VALUE, *one_view, *only_noise)
    assert preferred_streamers(as_of_day(views), SETTINGS).collect() == []


def test_equal_scores_rank_by_id_and_the_list_has_a_length(spark: SparkSession) -> None:
    views = frame(spark, VIEW_VALUE, *(_view(1, streamer, 100.0) for streamer in (8, 6, 7)))
    assert collect(preferred_streamers(as_of_day(views), SETTINGS), c.RANK, c.STREAMER_ID) == [(1, 6), (2, 7)]
