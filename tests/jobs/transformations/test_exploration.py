"""Four reasons to show a streamer whom the user does not watch (any more)."""

import math

import pytest
from pyspark.sql import DataFrame, SparkSession

from contracts import columns as c
from contracts.names import ExplorationKind
from contracts.settings import ExplorationSettings
from contracts.tables import RELATED_STREAMER, STREAMER, VIEW_VALUE
from jobs.transformations.as_of import AS_OF
from jobs.transformations.exploration.candidates import exploration_candidates
from jobs.transformations.exploration.category_rising import category_rising
from jobs.transformations.exploration.co_watched import co_watched
from jobs.transformations.exploration.lapsed import lapsed
from jobs.transformations.exploration.newcomer import newcomer
from jobs.transformations.exploration.trends import streamer_trends, tastes
from jobs.transformations.streamer_orientation import visits
from tests.jobs.frames import DAY, as_of_day, collect, day, frame, preferred

FOUND = (c.USER_ID, c.STREAMER_ID, c.SCORE)
SETTINGS = ExplorationSettings(prior_daily_viewers=1.0, min_rise=1.0, min_viewers=1, prior_variance=0.0)


def _views(spark: SparkSession, *rows: tuple[int, int, int], **values: object) -> DataFrame:
    """Valued views of user, streamer, days back."""
    named = (
        {c.USER_ID: user, c.STREAMER_ID: streamer, c.VIEW_DAY: day(back), c.IS_VALUED: True, **values}
        for user, streamer, back in rows
    )
    return as_of_day(frame(spark, VIEW_VALUE, *named))


def _streamers(spark: SparkSession, **categories: str | None) -> DataFrame:
    rows = ({c.STREAMER_ID: int(name[1:]), c.CATEGORY: category} for name, category in categories.items())
    return as_of_day(frame(spark, STREAMER, *rows))


def _taste(spark: SparkSession, *rows: tuple[int, str, float]) -> DataFrame:
    return spark.createDataFrame(
        [(DAY, *row) for row in rows], f"{AS_OF} date, {c.USER_ID} long, {c.CATEGORY} string, {c.SHARE} double"
    )


def test_a_taste_is_the_share_of_visits_to_a_category(spark: SparkSession) -> None:
    watched = visits(_views(spark, (1, 5, 0), (1, 5, 1), (1, 5, 1), (1, 6, 0), (1, 7, 0), (1, 8, 0)))
    streamers = _streamers(spark, s5="a", s6="a", s7="b", s8=None)
    found = tastes(watched, streamers, ExplorationSettings(categories=1))
    assert collect(found, c.USER_ID, c.CATEGORY, c.SHARE) == [(1, "a", 0.75)]  # days, not views; 8 has no category


def test_co_watched_are_those_whom_people_of_ones_taste_prefer(spark: SparkSession) -> None:
    related = [(5, 7, 0.5), (6, 7, 0.25), (6, 8, 0.1)]
    found = co_watched(
        as_of_day(preferred(spark, (1, 5, 2, 3.0), (1, 6, 1, 4.0))),
        as_of_day(
            frame(
                spark,
                RELATED_STREAMER,
                *({c.STREAMER_ID: a, c.RELATED_STREAMER_ID: b, c.SCORE: score} for a, b, score in related),
            )
        ),
    )
    scores = {streamer: score for _, streamer, score in collect(found, *FOUND)}
    assert scores == pytest.approx({5: 0.6, 6: 0.8, 7: 0.6 * 0.5 + 0.8 * 0.25, 8: 0.08}, abs=1e-6)


def test_rising_is_more_viewers_a_day_than_before_in_a_category_of_the_user(spark: SparkSession) -> None:
    """The log has eight days: three recent and five earlier ones."""
    steady = [(user, 5, back) for user in (1, 2) for back in range(8)]
    rising = [(user, 6, back) for user in (1, 2, 3, 4) for back in range(3)]
    elsewhere = [(user, 7, 0) for user in range(1, 9)]
    streamers = _streamers(spark, s5="a", s6="a", s7="b")
    trends = streamer_trends(_views(spark, *steady, *rising, *elsewhere), streamers, SETTINGS)
    found = category_rising(_taste(spark, (9, "a", 0.5)), trends, SETTINGS)
    assert collect(found, *FOUND) == [(9, 6, pytest.approx(0.5 * math.log((4 + 1) / (0 + 1))))]


def test_a_newcomer_is_new_or_small_and_valued(spark: SparkSession) -> None:
    """5 is old and large, 6 new, 7 old and small, 8 small but worth nothing."""
    old = _views(spark, *((user, 5, 9) for user in range(1, 7)), (1, 7, 9), **{c.VALUE: 0.6})
    new = _views(spark, *((user, 6, 1) for user in range(1, 5)), **{c.VALUE: 0.9})
    worthless = _views(spark, (1, 8, 9), **{c.VALUE: 0.0})
    streamers = _streamers(spark, s5="a", s6="a", s7="a", s8="a")
    settings = SETTINGS.model_copy(update={"small_share": 0.5})
    trends = streamer_trends(old.unionByName(new).unionByName(worthless), streamers, settings)
    found = newcomer(_taste(spark, (9, "a", 1.0)), trends, settings)
    assert collect(found, *FOUND) == [(9, 6, pytest.approx(0.9)), (9, 7, pytest.approx(0.6))]


def test_nobody_is_new_in_a_log_that_begins_later(spark: SparkSession) -> None:
    views = _views(spark, *((user, streamer, 1) for user in (1, 2) for streamer in (5, 6)))
    trends = streamer_trends(views, _streamers(spark, s5="a", s6="a"), SETTINGS)
    nobody_small = SETTINGS.model_copy(update={"small_share": 0.0})
    assert newcomer(_taste(spark, (9, "a", 1.0)), trends, nobody_small).count() == 0


def test_the_doubt_of_few_viewers_counts_against_a_newcomer(spark: SparkSession) -> None:
    doubt = SETTINGS.model_copy(update={"prior_variance": 0.04, "small_share": 1.0})
    views = _views(spark, *((user, 5, 1) for user in range(1, 5)), (1, 6, 1), **{c.VALUE: 0.8})
    trends = streamer_trends(views, _streamers(spark, s5="a", s6="a"), doubt)
    assert collect(trends, c.STREAMER_ID, c.VALUE_LOWER_BOUND) == [
        (5, pytest.approx(0.8 - 0.1)),
        (6, pytest.approx(0.8 - 0.2)),
    ]


def test_lapsed_streamers_count_as_much_as_when_they_were_left(spark: SparkSession) -> None:
    scores = preferred(spark, (1, 5, 2, 2.0), (1, 6, 1, 9.0), last_view_days=[day(14), day(6)])
    found = lapsed(as_of_day(scores), lapsed_days=7, half_life_days=14.0)
    assert collect(found, *FOUND) == [(1, 5, 4.0)]


def test_what_is_watched_is_no_exploration_but_for_the_lapsed(spark: SparkSession) -> None:
    scored = spark.createDataFrame(
        [(DAY, 1, 5, 0.9), (DAY, 1, 6, 0.8), (DAY, 1, 7, 0.7), (DAY, 1, 8, 0.6)],
        f"{AS_OF} date, {c.USER_ID} long, {c.STREAMER_ID} long, {c.SCORE} double",
    )
    found = {ExplorationKind.CO_WATCHED: scored, ExplorationKind.LAPSED: scored}
    listed = exploration_candidates(found, visits(_views(spark, (1, 5, 20))), 2)
    assert collect(listed, c.EXPLORATION_KIND, c.RANK, c.STREAMER_ID) == [
        ("co_watched", 1, 6),
        ("co_watched", 2, 7),
        ("lapsed", 1, 5),
        ("lapsed", 2, 6),
    ]
