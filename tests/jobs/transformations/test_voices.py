"""What an account's voice counts, and when a crowd of new accounts is one."""

import math

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import VIEW_VALUE
from jobs.transformations.voices import COHORT, CROWD_FACTOR, VOICE, cohorts, voices, without_crowds
from tests.jobs.frames import as_of_day, day, frame

SETTINGS = ValuationSettings(prior_streamers=1.0, crowd_evidence=1.0)


def _view(user: int, content: int, streamer: int, back: int = 0, **other: object) -> dict[str, object]:
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.VIEW_DAY: day(back)}
    return {**ids, c.USER_RELATIVE: 0.0, **other}


def _two_streamers_long_ago(*users: int) -> list[dict[str, object]]:
    return [_view(user, 900 + streamer, streamer, back=5) for user in users for streamer in (8, 9)]


def _all_heard(views: DataFrame) -> list[Row]:
    heard = voices(as_of_day(views), SETTINGS)
    crowds = without_crowds(cohorts(heard), SETTINGS).select(*COHORT, CROWD_FACTOR, c.WEIGHT_REASON)
    weighed = heard.join(crowds, on=list(COHORT), how="inner")
    return weighed.withColumn(c.WEIGHT, f.col(c.WEIGHT) * f.col(CROWD_FACTOR)).collect()


def _heard(views: DataFrame, content: int) -> dict[int, Row]:
    rows = _all_heard(views)
    return {row[c.USER_ID]: row for row in rows if row[c.CONTENT_ID] == content}


def test_an_account_has_one_voice_per_content_however_often_it_watches(spark: SparkSession) -> None:
    far, near = {c.USER_RELATIVE: 2.0}, {c.USER_RELATIVE: -1.0}
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 10, 5, **far),
        _view(1, 10, 5, back=1, **near, **{c.WEIGHT: 0.5}),
        _view(1, 10, 5, back=2, **{c.WATCHED_SECONDS: 0.0}),
        _view(1, 11, 6),
    )
    heard = _heard(views, 10)[1]
    expected = (1 / (1 + math.exp(-2.0)) + 0.5 / (1 + math.exp(1.0))) / 1.5
    assert (heard[c.VIEWS], heard[c.VIEW_DAY], heard[c.WEIGHT_REASON]) == (2, day(1), None)
    assert heard[VOICE] == pytest.approx(expected, abs=1e-6)
    assert heard[c.WEIGHT] == pytest.approx(0.75 * 0.5)  # two streamers: one beside the first, prior one


def test_an_account_of_one_streamer_counts_nothing_and_more_streamers_count_more(spark: SparkSession) -> None:
    farm = [_view(1, content, 5) for content in (10, 11, 12)]
    curious = [_view(2, content, content) for content in (10, 11, 12, 13)]
    heard = _heard(frame(spark, VIEW_VALUE, *farm, *curious), 10)
    assert heard[1][c.WEIGHT] == 0.0
    assert heard[2][c.WEIGHT] == pytest.approx(3 / 4)


def test_new_accounts_that_meet_on_one_content_count_what_the_others_let_expect(spark: SparkSession) -> None:
    """Users 1 to 20 are old; 31 to 36 come today, watch anything once and meet on content 10 with users 1 and 2."""
    old, bots = range(1, 21), range(31, 37)
    elsewhere = [_view(user, 100 + user, 7) for user in (*old, *bots)]
    boost = [_view(user, 10, 5) for user in (1, 2, *bots)]
    heard = _heard(frame(spark, VIEW_VALUE, *_two_streamers_long_ago(*old), *elsewhere, *boost), 10)
    assert {user: heard[user][c.WEIGHT_REASON] for user in heard} == {
        **dict.fromkeys(bots, "newcomer_crowd"),
        **dict.fromkeys((1, 2), None),
    }
    young, others = 12 * 1 / 2, 18 * 2 / 3 + 4 * 3 / 4  # weights of all voices of the day
    together = sum(heard[user][c.WEIGHT] for user in bots)
    assert together == pytest.approx(2 * 3 / 4 * young / others, abs=1e-5)


def test_new_accounts_that_spread_like_anybody_are_no_crowd(spark: SparkSession) -> None:
    old, new = range(1, 13), range(31, 35)
    content_of = {user: 10 + user % 4 for user in (*old, *new)}
    views = [_view(user, content, content) for user, content in content_of.items()]
    more = [_view(user, 300 + user, 8) for user in new]
    heard = _all_heard(frame(spark, VIEW_VALUE, *_two_streamers_long_ago(*old), *views, *more))
    assert {row[c.WEIGHT_REASON] for row in heard} == {None}


def test_on_the_first_day_of_a_log_everybody_is_new_and_nobody_a_crowd(spark: SparkSession) -> None:
    met = [_view(user, 10, 5) for user in range(1, 9)]
    before = [_view(user, 100 + user, 6) for user in range(1, 9)]
    heard = _heard(frame(spark, VIEW_VALUE, *met, *before), 10)
    assert {row[c.WEIGHT_REASON] for row in heard.values()} == {None}
