"""What a label may know: rows of every view that were available when it happened, the newest of them, nothing later."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from contracts import columns as c
from contracts import names
from contracts.settings import PlatformSettings, Settings
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE
from feature_repo.store import apply_definitions
from tests.feature_repo.tables import training_frame, write, write_labels, write_one_of_each

USER_VIEWS = names.feature_name(names.VIEW_USER, c.VIEWS)
STREAMER_VIEWS = names.feature_name(names.VIEW_STREAMER, c.VIEWS)
CONTENT_VIEWS = names.feature_name(names.VIEW_CONTENT, c.VIEWS)
USER_HISTORY = names.feature_name(names.VIEW_USER, c.RECENT_CONTENT_IDS)

JANUARY_3 = date(2026, 1, 3)
NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)


def label(at: datetime = NOON) -> dict[str, Any]:
    return {c.USER_ID: 1, c.CONTENT_ID: 5, c.STREAMER_ID: 10, c.EVENT_TIME: at}


def write_views(settings: Settings, day: date, views: int) -> None:
    write(settings, USER_FEATURE, day, [{c.USER_ID: 1, c.VIEWS: views}])
    write(settings, STREAMER_FEATURE, day, [{c.STREAMER_ID: 10, c.VIEWS: views}])
    write(settings, CONTENT_VALUE, day, [{c.CONTENT_ID: 5, c.STREAMER_ID: 10, c.VIEWS: views}])


def joined_views(settings: Settings) -> list[tuple[float, float, float]]:
    apply_definitions(settings)
    frame = training_frame(settings, JANUARY_3)
    return list(frame[[USER_VIEWS, STREAMER_VIEWS, CONTENT_VIEWS]].itertuples(index=False, name=None))


def test_the_newest_earlier_row_of_every_view_is_joined(settings: Settings) -> None:
    write_views(settings, date(2025, 12, 31), views=1)
    write_views(settings, date(2026, 1, 1), views=2)
    write_labels(settings, JANUARY_3, [label()])
    assert joined_views(settings) == [(2, 2, 2)]


def test_a_planted_future_row_does_not_leak(settings: Settings) -> None:
    write_views(settings, date(2026, 1, 1), views=2)
    write_views(settings, date(2026, 1, 8), views=999)
    write_labels(settings, JANUARY_3, [label()])
    assert joined_views(settings) == [(2, 2, 2)]


def test_a_planted_row_of_the_labels_own_day_does_not_leak(settings: Settings) -> None:
    write_views(settings, date(2026, 1, 1), views=2)
    write_views(settings, JANUARY_3, views=999)
    write_labels(settings, JANUARY_3, [label(), label(datetime(2026, 1, 3, 23, 59, 59, 999_999, tzinfo=UTC))])
    write_views(settings, date(2026, 1, 2), views=3)
    assert joined_views(settings) == [(3, 3, 3), (3, 3, 3)]


def test_the_day_before_counts_only_once_it_is_published(settings: Settings) -> None:
    published = datetime(2026, 1, 3, 3, tzinfo=UTC)
    write_views(settings, date(2026, 1, 1), views=2)
    write_views(settings, date(2026, 1, 2), views=3)
    write_labels(settings, JANUARY_3, [label(published - timedelta(microseconds=1)), label(published)])
    assert joined_views(settings) == [(2, 2, 2), (3, 3, 3)]


def test_days_of_another_time_zone_are_joined_by_their_own_end(settings: Settings) -> None:
    shanghai = settings.model_copy(update={"platform": PlatformSettings(time_zone="Asia/Shanghai")})
    published = datetime(2026, 1, 2, 19, tzinfo=UTC)
    write_views(shanghai, date(2026, 1, 1), views=2)
    write_views(shanghai, date(2026, 1, 2), views=3)
    write_labels(shanghai, JANUARY_3, [label(published - timedelta(seconds=1)), label(published)])
    assert joined_views(shanghai) == [(2, 2, 2), (3, 3, 3)]


def test_a_row_older_than_the_ttl_is_no_feature(settings: Settings) -> None:
    limit = datetime(2026, 1, 2, 3, tzinfo=UTC) + timedelta(days=settings.feast.ttl_days)
    write_views(settings, date(2026, 1, 1), views=2)
    write_labels(settings, JANUARY_3, [label(limit), label(limit + timedelta(seconds=1))])
    views = joined_views(settings)
    assert np.isnan(views[1]).all()
    assert views[0] == (2, 2, 2)


def test_every_label_stays_once_also_without_features_and_when_it_is_repeated(settings: Settings) -> None:
    write_one_of_each(settings)
    stranger = {**label(), c.USER_ID: -(2**63), c.CONTENT_ID: 2**63 - 1, c.STREAMER_ID: 11}
    write_labels(settings, JANUARY_3, [label(), label(), stranger])
    apply_definitions(settings)
    frame = training_frame(settings, JANUARY_3)
    assert frame[c.USER_ID].tolist() == [-(2**63), 1, 1]
    assert frame[c.CONTENT_ID].tolist() == [2**63 - 1, 5, 5]
    assert frame[CONTENT_VIEWS].isna().tolist() == [True, False, False]


def test_lists_come_as_lists_in_their_order(settings: Settings) -> None:
    write_one_of_each(settings)
    history = [2**63 - 1, -7, 3]
    write(settings, USER_FEATURE, date(2026, 1, 1), [{c.USER_ID: 1, c.RECENT_CONTENT_IDS: history}])
    write_labels(settings, JANUARY_3, [label()])
    apply_definitions(settings)
    assert training_frame(settings, JANUARY_3)[USER_HISTORY][0].tolist() == history


def test_a_rewritten_day_is_read_from_its_current_snapshot(settings: Settings) -> None:
    write_views(settings, date(2026, 1, 1), views=2)
    write_labels(settings, JANUARY_3, [label()])
    assert joined_views(settings) == [(2, 2, 2)]
    write_views(settings, date(2026, 1, 1), views=20)
    assert joined_views(settings) == [(20, 20, 20)]


@pytest.mark.parametrize("column", [c.STREAMER_ID, c.CONTENT_KIND, c.WEIGHT, c.LABEL_VALUED])
def test_what_the_labels_carry_stays_theirs(settings: Settings, column: str) -> None:
    write_one_of_each(settings)
    write_labels(settings, JANUARY_3, [label()])
    apply_definitions(settings)
    frame = training_frame(settings, JANUARY_3)
    assert [name for name in frame.columns if name.endswith(column)] == [column]
