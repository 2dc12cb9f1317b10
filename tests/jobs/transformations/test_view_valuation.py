import math
from datetime import timedelta

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import CONTENT, WATCH_EVENT
from jobs.transformations.abuse import day_totals, with_weights
from jobs.transformations.view_valuation import (
    content_lengths,
    content_sums,
    group_means,
    user_sums,
    view_values,
    watched_on_each_day,
)
from jobs.transformations.views import views
from tests.jobs.frames import DAY, NOON, as_of_day, frame

SETTINGS = ValuationSettings(
    prior_views=1.0, user_prior_views=2.0, group_prior_views=1.0, length_groups=2, valued_threshold=0.6
)


def _watch(user: int, content: int, seconds: float, back: int = 0, **other: object) -> dict[str, object]:
    start = NOON - timedelta(days=back, minutes=-content)
    dt = {c.DT: start.date().isoformat()}
    return {c.USER_ID: user, c.CONTENT_ID: content, c.EVENT_TIME: start, c.WATCHED_SECONDS: seconds, **dt, **other}


def _catalogue(spark: SparkSession, lengths: dict[int, float]) -> DataFrame:
    return frame(spark, CONTENT, *({c.CONTENT_ID: key, c.DURATION_SECONDS: value} for key, value in lengths.items()))


def _values(events: DataFrame, catalogue: DataFrame) -> list[Row]:
    """Values of the views of DAY's partition."""
    lengths = content_lengths(as_of_day(catalogue), SETTINGS)
    versions = views(events, "UTC", 30)
    fresh = as_of_day(versions.where(f.col(c.DT) == f.lit(DAY)))
    weighted = with_weights(fresh, day_totals(versions, [DAY], 3, SETTINGS), SETTINGS)
    usual = watched_on_each_day(versions, lengths, [DAY])
    contents, users = content_sums(usual), user_sums(usual)
    return view_values(weighted, contents, users, group_means(contents, SETTINGS), lengths, SETTINGS).collect()


def test_a_view_is_compared_with_its_length_its_user_and_its_content(spark: SparkSession) -> None:
    """The shares watched are 0.8 and 0.2 for user 1, 0.2 for user 2; contents 10 and 11 have the same length."""
    events = frame(
        spark, WATCH_EVENT, _watch(1, 10, 80.0), _watch(1, 11, 20.0, back=1), _watch(2, 10, 20.0), _watch(2, 11, 0.0)
    )
    rows = _values(events, _catalogue(spark, {10: 100.0, 11: 100.0}))
    found = {(row[c.USER_ID], row[c.CONTENT_ID]): row for row in rows}
    mean, deviation = 1.2 / 3, math.sqrt(0.72 / 3 - (1.2 / 3) ** 2)
    group_mean = (1.2 + mean) / 4
    much, little = (0.8 - group_mean) / deviation, (0.2 - group_mean) / deviation
    assert set(found) == {(1, 10), (2, 10), (2, 11)}  # the view of yesterday has no row in today's partition
    view = found[1, 10]
    to_user, to_content = much - (much + little) / 4, much - (much + little) / 3
    assert view[c.USER_RELATIVE] == pytest.approx(to_user, abs=1e-6)
    assert view[c.CONTENT_RELATIVE] == pytest.approx(to_content, abs=1e-6)
    assert view[c.VALUE] == pytest.approx(1 / (1 + math.exp(-(to_user + to_content) / 2)), abs=1e-6)
    assert view[c.COMPLETION] == pytest.approx(0.8)
    assert [found[key][c.IS_VALUED] for key in sorted(found)] == [True, False, False]
    assert found[2, 11][c.VALUE] == 0


def test_a_long_content_is_not_worth_less_for_being_long(spark: SparkSession) -> None:
    """Of 100 s two users watch 60 and 40, of 1000 s two others 60 and 40: 60 is much of either."""
    watches = [_watch(10 * content + user, content, 40.0 + 20.0 * user) for content in (1, 2, 3, 4) for user in (0, 1)]
    rows = _values(frame(spark, WATCH_EVENT, *watches), _catalogue(spark, {1: 100.0, 2: 100.0, 3: 1e3, 4: 1e3}))
    value = {(row[c.CONTENT_ID], row[c.WATCHED_SECONDS]): row[c.VALUE] for row in rows}
    assert value[1, 60.0] > 0.5 > value[1, 40.0]
    assert value[3, 60.0] > value[3, 40.0]
    by_length = [(value[content, 60.0] + value[content, 40.0]) / 2 for content in (1, 3)]
    assert by_length[0] - by_length[1] < 0.5 * (0.5 - 0.05)  # the shares alone differ by 0.45


def test_lengths_fall_into_quantiles_of_their_kind_and_an_unknown_length_into_none(spark: SparkSession) -> None:
    catalogue = _catalogue(spark, {1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0, 5: 0.0})
    vod = frame(spark, CONTENT, {c.CONTENT_ID: 6, c.CONTENT_KIND: "vod", c.DURATION_SECONDS: 3_600.0})
    groups = content_lengths(as_of_day(catalogue.union(vod)), SETTINGS).drop("as_of").collect()
    assert sorted(tuple(row) for row in groups) == [
        (1, 10.0, 0),
        (2, 20.0, 0),
        (3, 30.0, 1),
        (4, 40.0, 1),
        (6, 3_600.0, 0),
    ]


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
