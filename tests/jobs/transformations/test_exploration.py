"""Four reasons to show a streamer whom the user does not watch (any more)."""

import math

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from contracts import columns as c
from contracts.names import ExplorationKind
from contracts.settings import ExplorationSettings
from contracts.tables import STREAMER, VIEW_VALUE
from jobs.transformations.exploration.candidates import ExplorationCandidates
from jobs.transformations.exploration.category_rising import rising
from jobs.transformations.exploration.co_watched import co_watched
from jobs.transformations.exploration.lapsed import lapsed
from jobs.transformations.exploration.newcomer import newcomers
from jobs.transformations.exploration.tastes import tastes
from jobs.transformations.exploration.trends import Trends, heard_of, voices
from jobs.transformations.scored_pairs import Links, Pairs
from jobs.transformations.user_streamers import UserStreamers, user_streamers
from tests.jobs.frames import DAY, NOON, as_of_day, day, frame, preferred

SETTINGS = ExplorationSettings(prior_daily_viewers=1.0, min_rise=1.0, min_viewers=1, prior_variance=0.0)
NOBODY = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _pairs(*rows: tuple[int, int, float]) -> Pairs:
    """User, streamer, score."""
    users, streamers, scores = zip(*rows, strict=True)
    return Pairs(np.array(users), np.array(streamers), np.array(scores))


def _links(*rows: tuple[int, int, float]) -> Links:
    pairs = _pairs(*rows)
    return Links.of(pairs.users, pairs.items, pairs.scores)


def _rows(pairs: Pairs) -> list[tuple[int, int, float]]:
    return list(zip(pairs.users.tolist(), pairs.items.tolist(), pairs.scores.tolist(), strict=True))


def _views(spark: SparkSession, *rows: tuple[int, int, int], **values: object) -> DataFrame:
    """Valued views of user, streamer, days back."""
    named = (
        {c.USER_ID: user, c.STREAMER_ID: streamer, c.VIEW_DAY: day(back), c.IS_VALUED: True, **values}
        for user, streamer, back in rows
    )
    return as_of_day(frame(spark, VIEW_VALUE, *named))


def _trends(views: DataFrame, settings: ExplorationSettings = SETTINGS, **categories: str | None) -> Trends:
    rows = ({c.STREAMER_ID: int(name[1:]), c.CATEGORY: category} for name, category in categories.items())
    streamers = as_of_day(frame(views.sparkSession, STREAMER, *rows))
    return Trends.of(heard_of(voices(views, settings), streamers).toArrow(), DAY, settings)


def test_a_visit_is_a_day_however_many_views_it_has(spark: SparkSession) -> None:
    heard = voices(_views(spark, (1, 5, 0), (1, 5, 1), (1, 5, 1), (1, 6, 0)), SETTINGS).collect()
    assert {row[c.STREAMER_ID]: row[c.VISITS] for row in heard} == {5: 2, 6: 1}


def test_a_taste_is_the_share_of_visits_to_a_category() -> None:
    visits = _pairs((0, 5, 2.0), (0, 6, 1.0), (0, 7, 1.0), (0, 8, 1.0), (1, 7, 3.0))
    categories = _links((5, 0, 1.0), (6, 0, 1.0), (7, 1, 1.0))  # 8 has none
    assert _rows(tastes(visits, categories, 1)) == [(0, 0, 0.75), (1, 1, 1.0)]


def test_co_watched_are_those_whom_people_of_ones_taste_prefer() -> None:
    known = UserStreamers(_pairs((0, 5, 3.0), (0, 6, 4.0)), np.zeros(2, np.int64), NOBODY)
    found = co_watched(known, _links((5, 7, 0.5), (6, 7, 0.25), (6, 8, 0.1)))
    scores = {streamer: score for _, streamer, score in _rows(found)}
    assert scores == pytest.approx({5: 0.6, 6: 0.8, 7: 0.6 * 0.5 + 0.8 * 0.25, 8: 0.08})


def test_rising_is_more_viewers_a_day_than_before_in_a_category(spark: SparkSession) -> None:
    """The log has eight days: three recent and five earlier ones."""
    steady = [(user, 5, back) for user in (1, 2) for back in range(8)]
    newly = [(user, 6, back) for user in (1, 2, 3, 4) for back in range(3)]
    elsewhere = [(user, 7, 0) for user in range(1, 9)]
    trends = _trends(_views(spark, *steady, *newly, *elsewhere), s5="a", s6="a", s7="b")
    found = rising(trends, SETTINGS).follow(_pairs((0, 0, 0.5)))
    assert _rows(found) == [(0, 6, pytest.approx(0.5 * math.log((4 + 1) / (0 + 1))))]


def test_a_newcomer_is_new_or_small_and_valued(spark: SparkSession) -> None:
    """5 is old and large, 6 new, 7 old and small, 8 small but worth nothing."""
    old = _views(spark, *((user, 5, 9) for user in range(1, 7)), (1, 7, 9), **{c.VALUE: 0.6})
    new = _views(spark, *((user, 6, 1) for user in range(1, 5)), **{c.VALUE: 0.9})
    worthless = _views(spark, (1, 8, 9), **{c.VALUE: 0.0})
    settings = SETTINGS.model_copy(update={"small_share": 0.5})
    trends = _trends(old.unionByName(new).unionByName(worthless), settings, s5="a", s6="a", s7="a", s8="a")
    found = newcomers(trends, settings).follow(_pairs((0, 0, 1.0)))
    assert _rows(found) == [(0, 6, pytest.approx(0.9)), (0, 7, pytest.approx(0.6))]


def test_nobody_is_new_in_a_log_that_begins_later(spark: SparkSession) -> None:
    views = _views(spark, *((user, streamer, 1) for user in (1, 2) for streamer in (5, 6)))
    nobody_small = SETTINGS.model_copy(update={"small_share": 0.0})
    assert len(newcomers(_trends(views, s5="a", s6="a"), nobody_small).targets) == 0


def test_a_streamer_without_a_category_is_offered_to_no_taste_but_dates_the_log(spark: SparkSession) -> None:
    trends = _trends(_views(spark, (1, 5, 1), (1, 6, 9)), s5="a", s6=None)
    assert trends.streamers.tolist() == [5]
    assert trends.log_days == 9


def test_the_doubt_of_few_viewers_counts_against_a_newcomer(spark: SparkSession) -> None:
    doubt = SETTINGS.model_copy(update={"prior_variance": 0.04})
    views = _views(spark, *((user, 5, 1) for user in range(1, 5)), (1, 6, 1), **{c.VALUE: 0.8})
    trends = _trends(views, doubt, s5="a", s6="a")
    assert dict(zip(trends.streamers, trends.value, strict=True)) == pytest.approx({5: 0.8 - 0.1, 6: 0.8 - 0.2})


def test_lapsed_streamers_count_as_much_as_when_they_were_left() -> None:
    known = UserStreamers(_pairs((0, 5, 2.0), (0, 6, 9.0)), np.array([14, 6]), NOBODY)
    assert _rows(lapsed(known, lapsed_days=7, half_life_days=14.0)) == [(0, 5, 4.0)]


def test_what_is_watched_is_no_exploration_but_for_the_lapsed(spark: SparkSession) -> None:
    """User 3 prefers 5, whom they have left, and watches 5 and 7; user 4 watches 7 and nobody else."""
    liked = as_of_day(preferred(spark, (3, 5, 1, 2.0), last_view_days=[day(20)]))
    heard = voices(_views(spark, (3, 5, 20), (3, 7, 0), (4, 7, 0)), SETTINGS)
    candidates = ExplorationCandidates(
        related=_links((5, 6, 0.5), (5, 7, 0.9), (5, 8, 0.5)),
        categories=_links((7, 0, 1.0)),
        rising=_links((0, 7, 3.0), (0, 9, 2.0)),
        newcomers=_links((1, 9, 1.0)),
        exploration=SETTINGS.model_copy(update={"length": 2}),
        half_life_days=20.0,
        available_at=NOON,
    )
    found = pa.concat_tables(candidates(user_streamers(liked, heard).toArrow())).to_pylist()
    shown = [tuple(row[name] for name in (c.USER_ID, c.EXPLORATION_KIND, c.RANK, c.STREAMER_ID)) for row in found]
    assert shown == [
        (3, ExplorationKind.CO_WATCHED, 1, 6),
        (3, ExplorationKind.CO_WATCHED, 2, 8),
        (3, ExplorationKind.CATEGORY_RISING, 1, 9),
        (4, ExplorationKind.CATEGORY_RISING, 1, 9),
        (3, ExplorationKind.LAPSED, 1, 5),
    ]
