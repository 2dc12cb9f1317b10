import math
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import RepresentativeSettings
from contracts.tables import CONTENT, CONTENT_VALUE
from jobs.transformations.representative_vods import representative_vods
from tests.jobs.frames import DAY, as_of_day, collect, frame

DAY_END = datetime(2026, 1, 11, tzinfo=UTC)
SETTINGS = RepresentativeSettings(half_life_days=7, list_length=3)


def _value(content: int, bound: float, viewers: int = 1, **other: object) -> dict[str, object]:
    counts = {c.VIEWERS: viewers, c.EFFECTIVE_VIEWERS: float(viewers)}
    return {c.CONTENT_ID: content, c.VALUE_LOWER_BOUND: bound, **counts, **other}


def _clip(content: int, offset: float | None, length: float = 30.0, **other: object) -> dict[str, object]:
    span = {c.BROADCAST_ID: 500, c.OFFSET_SECONDS: offset, c.DURATION_SECONDS: length}
    return {c.CONTENT_ID: content, c.PUBLISHED_AT: DAY_END - timedelta(days=1), **span, **other}


def test_the_score_is_recency_times_viewers_times_quality(spark: SparkSession) -> None:
    a_week_ago = DAY_END - timedelta(days=7)
    values = frame(spark, CONTENT_VALUE, _value(1, 0.5, viewers=3), _value(2, 0.4), _value(3, 0.9, viewers=0))
    catalogue = frame(spark, CONTENT, _clip(1, 0.0, **{c.PUBLISHED_AT: a_week_ago, c.CREATOR_ID: 77}))
    found = representative_vods(as_of_day(values), as_of_day(catalogue), {DAY: DAY_END}, SETTINGS)
    assert collect(found, c.RANK, c.CONTENT_ID, c.SCORE, c.RECENCY, c.CREATOR_ID, c.BROADCAST_ID) == [
        (1, 1, pytest.approx(0.5 * math.log(4) * 0.5), 0.5, 77, 500),
        (2, 2, pytest.approx(0.5 * math.log(2) * 0.4), 0.5, None, None),  # of unknown age
    ]


def test_viewers_without_a_voice_count_half_a_viewer_however_many_they_are(spark: SparkSession) -> None:
    many, one = _value(1, 0.5, 900, **{c.EFFECTIVE_VIEWERS: 0.0}), _value(2, 0.5)
    found = representative_vods(
        as_of_day(frame(spark, CONTENT_VALUE, many, one)), as_of_day(frame(spark, CONTENT)), {DAY: DAY_END}, SETTINGS
    )
    assert collect(found, c.RANK, c.CONTENT_ID, c.SCORE) == [
        (1, 2, pytest.approx(0.5 * math.log(2) * 0.5)),
        (2, 1, pytest.approx(0.5 * math.log(1.5) * 0.5)),
    ]


def test_one_moment_is_shown_once_by_its_best_content(spark: SparkSession) -> None:
    """3 repeats 2, which stays; 4 overlaps 3 alone, which has gone; a VOD around them is no repetition."""
    bounds = {1: 0.3, 2: 0.9, 3: 0.8, 4: 0.7}
    values = frame(spark, CONTENT_VALUE, *(_value(content, bound) for content, bound in bounds.items()))
    vod = _clip(1, 0.0, length=7200.0)
    catalogue = frame(spark, CONTENT, vod, _clip(2, 100.0), _clip(3, 115.0), _clip(4, 135.0))
    found = representative_vods(as_of_day(values), as_of_day(catalogue), {DAY: DAY_END}, SETTINGS)
    assert collect(found, c.RANK, c.CONTENT_ID) == [(1, 2), (2, 4), (3, 1)]


def test_only_what_is_public_published_and_no_live_broadcast_represents_a_streamer(spark: SparkSession) -> None:
    values = frame(
        spark,
        CONTENT_VALUE,
        *(_value(content, 0.5) for content in (1, 2, 3)),
        _value(4, 0.5, **{c.CONTENT_KIND: "live"}),
    )
    catalogue = frame(
        spark,
        CONTENT,
        _clip(1, None, **{c.VISIBILITY: "private"}),
        _clip(2, None, **{c.PUBLISHED_AT: DAY_END + timedelta(hours=1)}),
        _clip(3, None, **{c.PUBLISHED_AT: DAY_END - timedelta(hours=1)}),
    )
    assert collect(
        representative_vods(as_of_day(values), as_of_day(catalogue), {DAY: DAY_END}, SETTINGS), c.CONTENT_ID
    ) == [(3,)]
