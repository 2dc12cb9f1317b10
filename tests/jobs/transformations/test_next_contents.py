"""What is offered after a content, on the example that docs/systems.md shows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from contracts import columns as c
from contracts import tables as t
from contracts.settings import NextContentSettings, Settings, ValuationSettings
from jobs.transformations.as_of import AS_OF
from jobs.transformations.moments import listable
from jobs.transformations.next_contents import co_watched, next_contents, valued_contents
from tests.jobs.frames import DAY, NOON, as_of_day, collect, frame

CHOSEN = NextContentSettings(min_support=0.5, prior_support=1.0)
SETTINGS = Settings(valuation=ValuationSettings(prior_streamers=1.0), next_contents=CHOSEN)
STREAMERS = {20: 5, 21: 5, 30: 6, 31: 6}
Row = Mapping[str, Any]


def valued(user: int, content: int, streamer: int | None = None, **values: object) -> Row:
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: streamer or STREAMERS[content]}
    return {**ids, c.IS_VALUED: True, **values}


USERS = [
    *(valued(1, content) for content in (20, 30)),
    *(valued(2, content) for content in (20, 30, 31)),
    *(valued(bot, content) for bot in (3, 4, 5, 6) for content in (20, 21)),
]


def contents(spark: SparkSession, *catalogue: Row) -> tuple[DataFrame, DataFrame]:
    """What may be listed of STREAMERS, and the catalogue."""
    values = frame(
        spark, t.CONTENT_VALUE, *({c.CONTENT_ID: content, c.STREAMER_ID: STREAMERS[content]} for content in STREAMERS)
    )
    known = as_of_day(frame(spark, t.CONTENT, *catalogue))
    return listable(as_of_day(values), known, {DAY: NOON + timedelta(hours=12)}), known


def pairs(spark: SparkSession, views: list[Row], settings: Settings = SETTINGS, *catalogue: Row) -> DataFrame:
    listed, _ = contents(spark, *catalogue)
    return co_watched(valued_contents(as_of_day(frame(spark, t.VIEW_VALUE, *views)), listed, settings), settings)


def offered(
    spark: SparkSession, views: list[Row], channels: list[tuple[int, int, int, str]], *catalogue: Row
) -> list[tuple[Any, ...]]:
    """Target, rank, content and source; channels are streamer, rank, content and source."""
    listed, known = contents(spark, *catalogue)
    related = co_watched(valued_contents(as_of_day(frame(spark, t.VIEW_VALUE, *views)), listed, SETTINGS), SETTINGS)
    schema = f"{c.STREAMER_ID} long, {c.RANK} long, {c.CONTENT_ID} long, {c.SOURCE} string"
    own = as_of_day(spark.createDataFrame(channels, schema)).withColumn(c.CONTENT_KIND, f.lit("clip"))
    found = next_contents(related, listed, own, known, SETTINGS)
    return collect(found, c.TARGET_ID, c.RANK, c.CONTENT_ID, c.SOURCE)


def test_contents_are_close_by_the_voices_that_valued_both(spark: SparkSession) -> None:
    found = collect(pairs(spark, USERS), c.TARGET_ID, c.CONTENT_ID, c.SCORE, c.SUPPORT)
    assert [row[:2] for row in found] == [(20, 30), (20, 31), (30, 20), (30, 31), (31, 20), (31, 30)]
    assert found[0][2:] == pytest.approx((0.5, 1.0), abs=1e-6)
    assert found[1][2:] == pytest.approx((0.632 * 0.5 / 1.5, 0.5), abs=1e-3)


def test_accounts_that_watch_one_streamer_and_views_that_weigh_nothing_say_nothing(spark: SparkSession) -> None:
    farmed = [valued(bot, content, **{c.WEIGHT: 0.0}) for bot in range(10, 30) for content in (21, 30)]
    alone, beside = (pairs(spark, views).where(f.col(c.TARGET_ID) == 21) for views in (USERS, [*USERS, *farmed]))
    assert alone.count() == beside.count() == 0


def test_pairs_of_little_support_are_chance(spark: SparkSession) -> None:
    settings = SETTINGS.model_copy(update={"next_contents": CHOSEN.model_copy(update={"min_support": 0.9})})
    assert collect(pairs(spark, USERS, settings), c.TARGET_ID, c.CONTENT_ID) == [(20, 30), (30, 20)]


def test_only_a_users_newest_contents_are_paired(spark: SparkSession) -> None:
    settings = SETTINGS.model_copy(update={"next_contents": CHOSEN.model_copy(update={"max_contents": 2})})
    views = [
        valued(1, content, **{c.LAST_EVENT_TIME: NOON + timedelta(hours=hour)})
        for hour, content in enumerate((20, 31, 30))
    ]
    assert collect(pairs(spark, views, settings), c.TARGET_ID, c.CONTENT_ID) == [(30, 31), (31, 30)]


@pytest.mark.parametrize(
    "view",
    [
        {c.IS_VALUED: False},
        {c.WATCHED_SECONDS: 0.0},
        {c.CONTENT_KIND: "live"},
    ],
)
def test_what_was_not_valued_or_is_live_is_no_target(spark: SparkSession, view: Row) -> None:
    assert pairs(spark, [valued(1, 20), valued(1, 30, **view), valued(1, 31, **view)]).count() == 0


def test_private_contents_are_neither_target_nor_offered(spark: SparkSession) -> None:
    hidden = {c.CONTENT_ID: 30, c.VISIBILITY: "private"}
    found = collect(pairs(spark, USERS, SETTINGS, hidden), c.TARGET_ID, c.CONTENT_ID)
    assert found == [(20, 31), (31, 20)]


def test_a_list_goes_on_with_the_streamers_own_contents_each_once(spark: SparkSession) -> None:
    channels = [(5, 1, 21, "representative"), (5, 2, 22, "fresh"), (6, 1, 30, "representative"), (6, 2, 31, "fresh")]
    found = offered(spark, USERS, channels)
    assert [row[1:] for row in found if row[0] == 20] == [
        (1, 30, "co_watched"),
        (2, 31, "co_watched"),
        (3, 21, "representative"),
        (4, 22, "fresh"),
    ]
    assert [row[1:] for row in found if row[0] == 30] == [(1, 20, "co_watched"), (2, 31, "co_watched")]
    assert [row[1:] for row in found if row[0] == 21] == [(1, 22, "fresh")]


def test_no_content_shows_the_moment_of_the_target_or_of_one_above_it(spark: SparkSession) -> None:
    def cut(content: int, offset: float) -> Row:
        span = {c.BROADCAST_ID: 900, c.OFFSET_SECONDS: offset, c.DURATION_SECONDS: 60.0}
        return {c.CONTENT_ID: content, c.STREAMER_ID: 5, **span}

    channels = [(5, rank, content, "representative") for rank, content in enumerate((21, 22, 23), start=1)]
    catalogue = [cut(20, 0.0), cut(21, 10.0), cut(22, 300.0), cut(23, 310.0)]
    found = offered(spark, [valued(1, 20)], channels, *catalogue)
    assert [row[1:] for row in found if row[0] == 20] == [(1, 22, "representative")]


def test_days_are_told_apart(spark: SparkSession) -> None:
    listed, _ = contents(spark)
    views = as_of_day(frame(spark, t.VIEW_VALUE, *USERS))
    yesterday = f.date_sub(AS_OF, 1).alias(AS_OF)
    both = [
        each.unionByName(each.select(yesterday, *(n for n in each.columns if n != AS_OF))) for each in (views, listed)
    ]
    found = collect(co_watched(valued_contents(*both, SETTINGS), SETTINGS).where(c.TARGET_ID + " = 20"), c.SUPPORT)
    assert found == [(0.5,), (0.5,), (1.0,), (1.0,)]
