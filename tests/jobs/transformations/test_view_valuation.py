import math
from datetime import timedelta

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import CONTENT, WATCH_EVENT
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.view_valuation import content_lengths, usual_watch_times, view_values
from jobs.transformations.views import views
from tests.jobs.frames import DAY, NOON, as_of_day, frame

SETTINGS = ValuationSettings(prior_views=1.0, valued_threshold=0.6)


def _watch(user: int, content: int, seconds: float, back: int = 0, **other: object) -> dict[str, object]:
    start = NOON - timedelta(days=back, minutes=-content)
    dt = {c.DT: start.date().isoformat()}
    return {c.USER_ID: user, c.CONTENT_ID: content, c.EVENT_TIME: start, c.WATCHED_SECONDS: seconds, **dt, **other}


def _values(events: DataFrame, catalogue: DataFrame) -> list[Row]:
    """Values of the views of DAY's partition."""
    versions, lengths = views(events, "UTC", 30), content_lengths(as_of_day(catalogue))
    fresh = as_of_day(versions.where(f.col(c.DT) == f.lit(DAY)))
    weighted = with_weights(fresh, day_totals(versions, [DAY], 3, SETTINGS), SETTINGS)
    return view_values(weighted, usual_watch_times(versions, lengths, [DAY]), lengths, SETTINGS).collect()


def test_a_view_is_compared_with_its_user_and_with_its_content(spark: SparkSession) -> None:
    """x = log(1 + seconds) is 4 and 2 for user 1, 2 for user 2; contents 10 and 11 have the same kind and length."""
    long, short = math.e**4 - 1, math.e**2 - 1
    events = frame(
        spark,
        WATCH_EVENT,
        _watch(1, 10, long),
        _watch(1, 11, short, back=1),
        _watch(2, 10, short),
        _watch(2, 11, 0.0),
    )
    catalogue = frame(spark, CONTENT, *({c.CONTENT_ID: content, c.DURATION_SECONDS: 107.2} for content in (10, 11)))
    rows = _values(events, catalogue)
    found = {(row[c.USER_ID], row[c.CONTENT_ID]): row for row in rows}
    mean, deviation = 8 / 3, math.sqrt(24 / 3 - (8 / 3) ** 2)
    user_mean = (6 + mean) / 3
    group_mean = (8 + mean) / 4
    content_mean = (6 + group_mean) / 3
    assert set(found) == {(1, 10), (2, 10), (2, 11)}  # the view of yesterday has no row in today's partition
    view = found[1, 10]
    to_user, to_content = (4 - user_mean) / deviation, (4 - content_mean) / deviation
    assert view[c.USER_RELATIVE] == pytest.approx(to_user, abs=1e-6)
    assert view[c.CONTENT_RELATIVE] == pytest.approx(to_content, abs=1e-6)
    assert view[c.VALUE] == pytest.approx(1 / (1 + math.exp(-(to_user + to_content) / 2)), abs=1e-6)
    assert view[c.COMPLETION] == pytest.approx(long / 107.2, abs=1e-6)
    assert [found[key][c.IS_VALUED] for key in sorted(found)] == [True, False, False]
    assert found[2, 11][c.VALUE] == 0


def test_the_logs_own_verdict_comes_first_and_a_late_row_brings_the_whole_view_back(spark: SparkSession) -> None:
    events = frame(
        spark,
        WATCH_EVENT,
        _watch(1, 10, 100.0, **{c.LOGGED_VALUED: False}),
        _watch(1, 11, 0.0, **{c.LOGGED_VALUED: True}),
        _watch(1, 12, 30.0, back=2),
        _watch(1, 12, 12.0, back=2, **{c.DT: DAY.isoformat()}),
    )
    rows = _values(events, frame(spark, CONTENT))
    found = {row[c.CONTENT_ID]: (row[c.WATCHED_SECONDS], row[c.IS_VALUED], row[c.COMPLETION]) for row in rows}
    assert {content: row[:2] for content, row in found.items() if content < 12} == {10: (100.0, False), 11: (0.0, True)}
    assert found[12][0] == 42.0
    assert {row[2] for row in found.values()} == {None}
