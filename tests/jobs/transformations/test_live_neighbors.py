"""Related streamers, who follows streamers, and the live candidates that come of both."""

import math

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from contracts import columns as c
from contracts.settings import NeighborSettings
from contracts.tables import RELATED_STREAMER, STREAMER, STREAMER_ORIENTATION, VIEW_VALUE
from jobs.transformations.live_candidates import LiveCandidates, oriented_users
from jobs.transformations.related_streamers import related_streamers
from jobs.transformations.scored_pairs import Links
from jobs.transformations.streamer_orientation import streamer_orientation, visits
from tests.jobs.frames import NOON, as_of_day, day, frame, preferred


def _preferred(spark: SparkSession, *rows: tuple[int, int, float]) -> DataFrame:
    return as_of_day(preferred(spark, *((user, streamer, 1, score) for user, streamer, score in rows)))


def _views(spark: SparkSession, *rows: tuple[int, int, int]) -> DataFrame:
    """Views of user, streamer, days back."""
    named = (
        {c.USER_ID: user, c.STREAMER_ID: streamer, c.VIEW_DAY: day(back), c.WATCHED_SECONDS: 60.0}
        for user, streamer, back in rows
    )
    return as_of_day(frame(spark, VIEW_VALUE, *named))


def test_streamers_are_related_by_the_cosine_of_who_prefers_them_shrunk(spark: SparkSession) -> None:
    preferred = _preferred(spark, (1, 5, 3.0), (1, 6, 4.0), (2, 5, 9.0), (3, 7, 1.0))
    found = related_streamers(preferred, NeighborSettings(prior_support=1.0)).collect()
    cosine = 0.6 * 0.8 / math.sqrt((0.6**2 + 1.0) * 0.8**2)
    score = pytest.approx(cosine * 1 / (1 + 1), abs=1e-6)
    rows = sorted((row[c.STREAMER_ID], row[c.RELATED_STREAMER_ID], row[c.RANK], row[c.SUPPORT]) for row in found)
    assert rows == [(5, 6, 1, 1), (6, 5, 1, 1)]  # 7 shares nobody
    assert [row[c.SCORE] for row in found] == [score, score]


def test_a_user_weighs_one_however_much_they_watch(spark: SparkSession) -> None:
    modest = [(user, streamer, 1.0) for user in (1, 2, 3) for streamer in (5, 6)]
    heavy = [(9, streamer, 1_000.0) for streamer in (5, 7)]
    found = related_streamers(_preferred(spark, *modest, *heavy), NeighborSettings())
    best = {row[c.STREAMER_ID]: row[c.RELATED_STREAMER_ID] for row in found.collect() if row[c.RANK] == 1}
    assert best[5] == 6


def test_who_comes_back_to_a_streamer_more_than_others_of_the_category_is_oriented(spark: SparkSession) -> None:
    """Category `a` has streamers 5 to 8; user 1 comes to 5 on four days, user 2 once to each."""
    loyal = [(1, 5, back) for back in range(4)]
    wanderer = [(2, streamer, streamer) for streamer in (5, 6, 7, 8)]
    once = [(3, 6, 0)]
    alone = [(4, 9, back) for back in range(4)]  # to the only streamer of a category
    categories = [{c.STREAMER_ID: streamer, c.CATEGORY: "a" if streamer < 9 else None} for streamer in range(5, 10)]
    watched = visits(_views(spark, *loyal, *loyal, *wanderer, *once, *alone))
    streamers = as_of_day(frame(spark, STREAMER, *categories))
    settings = NeighborSettings(prior_pairs=12.0, min_orientation=0.3)
    found = {row[c.USER_ID]: row for row in streamer_orientation(watched, streamers, settings).collect()}
    expected = (5**2 + 2**2 + 1 + 1) / 9**2
    assert [found[user][c.VISITS] for user in (1, 2, 3, 4)] == [4, 4, 1, 4]
    assert found[1][c.EXPECTED_SHARE] == pytest.approx(expected)
    same = (12 + 12 * expected) / (12 + 12)
    assert found[1][c.ORIENTATION] == pytest.approx((same - expected) / (1 - expected), abs=1e-6)
    assert [found[user][c.ORIENTATION] for user in (2, 3, 4)] == [0.0, pytest.approx(0.0, abs=1e-6), 0.0]
    assert [found[user][c.IS_STREAMER_ORIENTED] for user in (1, 2, 3, 4)] == [True, False, False, False]


def test_candidates_come_from_preferred_streamers_and_their_neighbours_in_two_quotas(spark: SparkSession) -> None:
    preferred = _preferred(spark, (1, 5, 3.0), (1, 6, 4.0), (2, 5, 1.0))
    scores = [(5, 6, 0.5), (5, 7, 0.5), (6, 8, 0.5), (6, 9, 0.25)]
    pairs = ({c.STREAMER_ID: s, c.RELATED_STREAMER_ID: t, c.SCORE: score} for s, t, score in scores)
    oriented = ({c.USER_ID: user, c.IS_STREAMER_ORIENTED: user == 1} for user in (1, 2))
    rows = oriented_users(
        preferred,
        as_of_day(frame(spark, STREAMER_ORIENTATION, *oriented)),
        visits(_views(spark, (1, 5, 0), (1, 6, 1), (1, 9, 20), (2, 5, 0))),
    )
    related = Links.of_related(frame(spark, RELATED_STREAMER, *pairs).toArrow())
    candidates = LiveCandidates(related, NeighborSettings(return_length=2, discovery_length=5), NOON)
    found = pa.concat_tables(candidates(rows.toArrow())).to_pylist()
    shown = (c.USER_ID, c.STREAMER_ID, c.SCORE, c.RETURN_RANK, c.DISCOVERY_RANK)
    assert [tuple(row[name] for name in shown) for row in found] == [
        (1, 6, pytest.approx(0.8 + 0.6 * 0.5), 1, None),
        (1, 5, pytest.approx(0.6), 2, None),
        (1, 8, pytest.approx(0.8 * 0.5), None, 1),
        (1, 7, pytest.approx(0.6 * 0.5), None, 2),
    ]  # 9 was watched, too, but the return quota is two; user 2 follows no streamers
