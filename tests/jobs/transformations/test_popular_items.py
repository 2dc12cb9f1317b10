import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import CandidateSettings, PopularitySettings
from contracts.tables import CONTENT, USER_FEATURE, VIEW_VALUE
from jobs.transformations.popular_items import item_popularity, not_public, popular_items
from jobs.transformations.segment_lists import segment_lists, with_segments
from tests.jobs.frames import as_of_day, collect, day, frame

SETTINGS = PopularitySettings(half_life_days=2)


def _view(user: int, content: int, back: int = 0, **other: object) -> dict[str, object]:
    of_day = {c.VIEW_DAY: day(back), c.DT: day(back).isoformat()}
    return {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: 10, c.IS_VALUED: True, **of_day, **other}


def test_popularity_counts_each_user_once_by_the_latest_valued_watch(spark: SparkSession) -> None:
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 7),
        _view(1, 7, back=2),
        _view(2, 7, back=2),
        _view(3, 8, **{c.IS_VALUED: False}),
        _view(3, 9, **{c.CONTENT_KIND: "live"}),
        _view(4, 10),
    )
    private = not_public(as_of_day(frame(spark, CONTENT, {c.CONTENT_ID: 10, c.VISIBILITY: "private"})))
    items = popular_items(as_of_day(views), private, SETTINGS)
    assert collect(items, c.ITEM_KIND, c.ITEM_ID, c.RANK, c.SCORE, c.VIEWERS) == [
        ("clip", 7, 1, pytest.approx(1.5), 2),
        ("streamer", 10, 1, pytest.approx(3.5), 4),  # content 10 is private, streamer 10 is not content 10
    ]


def test_a_segments_list_is_popularity_within_it_and_all_is_everybodys(spark: SparkSession) -> None:
    views = frame(spark, VIEW_VALUE, _view(1, 7), _view(2, 8), _view(3, 8), _view(4, 7), _view(5, 7))
    users = frame(
        spark,
        USER_FEATURE,
        {c.USER_ID: 1, c.SEGMENT: "heavy"},
        {c.USER_ID: 2, c.SEGMENT: "new"},
        {c.USER_ID: 3, c.SEGMENT: "new"},
    )
    nothing = not_public(as_of_day(frame(spark, CONTENT)))
    segmented = with_segments(as_of_day(views), as_of_day(users))
    popularity = item_popularity(segmented, nothing, SETTINGS, groups=[c.SEGMENT])
    lists = segment_lists(popularity, CandidateSettings().surfaces)
    clips = [row for row in collect(lists, c.SEGMENT, c.SURFACE, c.RANK, c.ITEM_ID) if row[1] == "home_clips"]
    assert [(segment, rank, item) for segment, _, rank, item in clips] == [
        ("all", 1, 7),
        ("all", 2, 8),
        ("heavy", 1, 7),
        ("new", 1, 8),
    ]
