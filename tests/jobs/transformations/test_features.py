from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import FeatureSettings
from contracts.tables import EARLIER_VIEW, USER_ACTION, VIEW_VALUE
from jobs.transformations.streamer_features import streamer_features
from jobs.transformations.training_examples import training_examples
from jobs.transformations.user_features import earlier_contents, user_features
from tests.jobs.frames import DAY, NOON, as_of_day, collect, day, frame, preferred


def _view(user: int, content: int, seconds: float, back: int = 0, **other: object) -> dict[str, object]:
    of_day = {c.VIEW_DAY: day(back), c.DT: day(back).isoformat(), c.LAST_EVENT_TIME: NOON - timedelta(days=back)}
    return {c.USER_ID: user, c.CONTENT_ID: content, c.WATCHED_SECONDS: seconds, **of_day, **other}


def test_user_features_sum_the_window_and_order_the_history_latest_first(spark: SparkSession) -> None:
    valued = {c.IS_VALUED: True}
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 20, 30.0, **valued, **{c.STREAMER_ID: 5, c.VALUE: 0.8}),
        _view(1, 20, 30.0, back=3, **valued, **{c.STREAMER_ID: 5, c.VALUE: 0.8}),
        _view(1, 21, 90.0, back=1, **valued, **{c.STREAMER_ID: 6, c.CONTENT_KIND: "live", c.VALUE: 0.8}),
        _view(1, 22, 0.0, **{c.STREAMER_ID: 7, c.VALUE: 0.0}),
    )
    liked = as_of_day(preferred(spark, (1, 6, 2, 1.0), (1, 5, 1, 2.0)))
    earlier = frame(
        spark,
        EARLIER_VIEW,
        *({c.USER_ID: 1, c.CONTENT_ID: content, c.POSITION: at} for at, content in enumerate((30, 20, 31, 32))),
        {c.USER_ID: 1, c.CONTENT_ID: 33, c.POSITION: 4, c.LOGGED_VALUED: False},
        {c.USER_ID: 2, c.CONTENT_ID: 40, c.POSITION: 0},
    )
    settings = FeatureSettings(light_views=3, heavy_views=4, history_length=4)
    known = as_of_day(earlier_contents(earlier, settings))
    found = {row[c.USER_ID]: row for row in user_features(as_of_day(views), liked, known, settings).collect()}
    user = found[1]
    assert [user[name] for name in (c.SEGMENT, c.VIEWS, c.VALUED_VIEWS, c.ACTIVE_DAYS)] == ["light", 3, 3, 3]
    assert (user[c.WATCHED_SECONDS], user[c.LIVE_SHARE], user[c.DISTINCT_STREAMERS]) == (150.0, 0.6, 2)
    assert user[c.MEAN_VALUE] == pytest.approx(0.6)
    assert user[c.RECENT_CONTENT_IDS] == [20, 21, 32, 31]
    assert user[c.RECENT_STREAMER_IDS] == [5, 6]
    assert user[c.PREFERRED_STREAMER_IDS] == [5, 6]
    assert (found[2][c.SEGMENT], found[2][c.VIEWS], found[2][c.RECENT_CONTENT_IDS]) == ("new", 0, [40])


def test_streamer_features_tell_returning_users_and_live_time(spark: SparkSession) -> None:
    live = {c.CONTENT_KIND: "live", c.VALUE: 0.9}
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 20, 30.0, **live),
        _view(1, 21, 30.0, back=1, **live),
        _view(2, 22, 60.0, **{c.VALUE: 0.3}),
        _view(3, 22, 0.0),
    )
    rows = streamer_features(as_of_day(views))
    names = (c.VIEWS, c.VIEWERS, c.WATCHED_SECONDS, c.LIVE_SHARE, c.RETURN_SHARE, c.MEAN_VALUE)
    assert collect(rows, *names) == [(3, 2, 120.0, 0.5, 0.5, pytest.approx(0.7))]


def test_labels_say_click_value_like_and_follow_of_the_days_own_views(spark: SparkSession) -> None:
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 20, 30.0, **{c.STREAMER_ID: 5, c.IS_VALUED: True, c.FIRST_EVENT_TIME: NOON}),
        _view(1, 21, 9.0, **{c.STREAMER_ID: 6, c.IS_CLICK: False}),
        _view(2, 20, 0.0, **{c.STREAMER_ID: 5}),
        _view(2, 22, 9.0, back=1, **{c.DT: DAY.isoformat()}),
    )
    actions = frame(
        spark,
        USER_ACTION,
        {c.USER_ID: 1, c.ACTION: "like", c.TARGET_KIND: "clip", c.TARGET_ID: 20},
        {c.USER_ID: 1, c.ACTION: "like", c.TARGET_KIND: "clip", c.TARGET_ID: 20, c.EVENT_TIME: NOON - timedelta(1)},
        {c.USER_ID: 1, c.ACTION: "follow", c.TARGET_KIND: "streamer", c.TARGET_ID: 6},
        {c.USER_ID: 2, c.ACTION: "follow", c.TARGET_KIND: "streamer", c.TARGET_ID: 20},
    )
    labels = (c.LABEL_CLICK, c.LABEL_VALUED, c.LABEL_LIKE, c.LABEL_FOLLOW)
    assert collect(
        training_examples(as_of_day(views), as_of_day(actions)), c.USER_ID, c.CONTENT_ID, c.EVENT_TIME, *labels
    ) == [
        (1, 20, NOON.replace(tzinfo=None), True, True, True, False),
        (1, 21, NOON.replace(tzinfo=None), False, False, False, True),
        (2, 20, NOON.replace(tzinfo=None), False, False, False, False),
    ]
