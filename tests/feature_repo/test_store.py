"""Applying the definitions, loading a day online, reading a row back."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import redis

from contracts import columns as c
from contracts import names
from contracts.erasure import mark_erased
from contracts.errors import FeatureStoreMissingError, MissingPartitionError, StoreUnavailableError, StreamrecError
from contracts.feast_online import online_key
from contracts.settings import PlatformSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE
from feature_repo.store import apply_definitions, materialize, online_row, open_store
from tests.feature_repo.tables import FIRST_DAY, NOW, write, write_one_of_each

SECOND_DAY = date(2026, 1, 2)


def test_the_definitions_say_the_columns_of_the_tables(settings: Settings) -> None:
    write_one_of_each(settings)
    store = apply_definitions(settings)
    found = {view.name: {field.name for field in view.schema} for view in store.list_feature_views()}
    labels_own = {c.AVAILABLE_AT, c.CONTENT_KIND}
    assert found == {
        names.VIEW_USER: {*USER_FEATURE.column_names} - labels_own,
        names.VIEW_STREAMER: {*STREAMER_FEATURE.column_names} - labels_own,
        names.VIEW_CONTENT: {*CONTENT_VALUE.column_names} - labels_own - {c.STREAMER_ID},
    }


def test_applying_again_changes_no_definition(settings: Settings) -> None:
    write_one_of_each(settings)
    before = apply_definitions(settings)
    after = apply_definitions(settings)
    assert before.list_feature_views() == after.list_feature_views()
    assert [entity.name for entity in after.list_entities()] == [entity.name for entity in before.list_entities()]
    assert len(after.list_feature_services()) == 2


def test_only_the_users_row_goes_online(settings: Settings) -> None:
    write_one_of_each(settings)
    online = [view.name for view in apply_definitions(settings).list_feature_views() if view.online]
    assert online == [names.VIEW_USER]


def test_a_loaded_day_is_read_back_as_it_stands_in_the_table(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    row = {c.USER_ID: -5, c.VIEWS: 7, c.SEGMENT: "heavy", c.RECENT_CONTENT_IDS: [2**63 - 1, 3], c.LIVE_SHARE: 0.25}
    write(online_settings, USER_FEATURE, FIRST_DAY, [row, {c.USER_ID: 1}])
    apply_definitions(online_settings)
    assert materialize(online_settings, FIRST_DAY) == 2
    found = online_row(online_settings, -5)
    assert {name: found[name] for name in row} == row


def test_a_user_without_a_row_has_no_features(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    apply_definitions(online_settings)
    materialize(online_settings, FIRST_DAY)
    found = online_row(online_settings, 99)
    assert found.pop(c.USER_ID) == 99
    assert set(found.values()) == {None}


def test_loading_a_day_again_brings_its_mended_rows(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    apply_definitions(online_settings)
    materialize(online_settings, FIRST_DAY)
    write(online_settings, USER_FEATURE, FIRST_DAY, [{c.USER_ID: 1, c.VIEWS: 8}])
    materialize(online_settings, FIRST_DAY)
    assert online_row(online_settings, 1)[c.VIEWS] == 8


def test_what_is_online_follows_the_day_and_never_a_later_one(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    write(online_settings, USER_FEATURE, SECOND_DAY, [{c.USER_ID: 1, c.VIEWS: 2}])
    apply_definitions(online_settings)
    seen = []
    for day in (FIRST_DAY, SECOND_DAY, FIRST_DAY):
        materialize(online_settings, day)
        seen.append(online_row(online_settings, 1)[c.VIEWS])
    assert seen == [1, 2, 1]


def test_rows_are_loaded_by_their_own_time_when_the_publish_delay_has_changed(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    sooner = online_settings.model_copy(update={"platform": PlatformSettings(publish_delay_minutes=0)})
    apply_definitions(sooner)
    materialize(sooner, FIRST_DAY)
    assert online_row(sooner, 1)[c.VIEWS] == 1


@pytest.mark.parametrize("user", [-5, 0, 2**63 - 1])
def test_a_users_row_lies_under_the_key_that_erase_deletes(online_settings: Settings, user: int) -> None:
    write_one_of_each(online_settings)
    write(online_settings, USER_FEATURE, FIRST_DAY, [{c.USER_ID: user}])
    apply_definitions(online_settings)
    materialize(online_settings, FIRST_DAY)
    with redis.Redis.from_url(online_settings.redis.url) as client:
        assert list(client.scan_iter()) == [online_key(user)]


def test_a_user_who_was_erased_since_the_day_was_computed_does_not_come_back(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    write(online_settings, USER_FEATURE, FIRST_DAY, [{c.USER_ID: 1}, {c.USER_ID: 2}])
    apply_definitions(online_settings)
    mark_erased(Warehouse(online_settings.warehouse_path), 2, FIRST_DAY, NOW)
    materialize(online_settings, FIRST_DAY)
    with redis.Redis.from_url(online_settings.redis.url) as client:
        assert list(client.scan_iter()) == [online_key(1)]


def test_online_rows_expire_with_the_ttl(online_settings: Settings) -> None:
    write_one_of_each(online_settings)
    apply_definitions(online_settings)
    materialize(online_settings, FIRST_DAY)
    with redis.Redis.from_url(online_settings.redis.url) as client:
        (left,) = [client.ttl(key) for key in client.scan_iter()]
    assert 0 < left <= online_settings.feast.ttl_days * 86_400


def test_nothing_is_written_outside_home(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.chdir(elsewhere)
    write_one_of_each(settings)
    apply_definitions(settings)
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in settings.feast_config_path.parent.iterdir()} == {"feature_store.yaml", "registry.db"}


def applied(settings: Settings) -> None:
    write_one_of_each(settings)
    apply_definitions(settings)


def materialized_without_apply(settings: Settings) -> None:
    write_one_of_each(settings)
    materialize(settings, FIRST_DAY)


def materialized_without_the_day(settings: Settings) -> None:
    applied(settings)
    materialize(settings, SECOND_DAY)


def materialized_without_redis(settings: Settings) -> None:
    applied(settings)
    materialize(settings, FIRST_DAY)


def read_without_redis(settings: Settings) -> None:
    applied(settings)
    online_row(settings, 1)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (apply_definitions, MissingPartitionError, "user_feature_v1 has no partition .* python -m jobs user_features"),
        (open_store, FeatureStoreMissingError, "run first: python -m feature_repo apply"),
        (materialized_without_apply, FeatureStoreMissingError, "run first: python -m feature_repo apply"),
        (materialized_without_the_day, MissingPartitionError, "python -m jobs user_features --date 2026-01-02"),
        (materialized_without_redis, StoreUnavailableError, "Redis at 127.0.0.1:1/0 did not answer"),
        (read_without_redis, StoreUnavailableError, "Redis at 127.0.0.1:1/0 did not answer"),
    ],
)
def test_what_is_missing_is_named(
    settings: Settings, act: Callable[[Settings], object], error: type[StreamrecError], message: str
) -> None:
    with pytest.raises(error, match=message):
        act(settings)
