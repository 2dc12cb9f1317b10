from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts import columns as c
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import USER_ACTION, VIEW_VALUE
from serving.stores.protocol import Store
from serving.sync_seen import sync_seen
from tests.serving.builders import DAY, row_of, view, write

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)


def action(user: int, verb: str, kind: str, target: int) -> dict[str, object]:
    return {c.USER_ID: user, c.ACTION: verb, c.TARGET_KIND: kind, c.TARGET_ID: target, c.EVENT_TIME: NOON}


@pytest.mark.parametrize(
    ("values", "is_seen"),
    [
        ({c.COMPLETION: 0.5, c.WATCHED_SECONDS: 1.0}, True),
        ({c.COMPLETION: 0.49, c.WATCHED_SECONDS: 299.0}, False),
        ({c.COMPLETION: 0.1, c.WATCHED_SECONDS: 300.0}, True),
        ({c.COMPLETION: None, c.WATCHED_SECONDS: 299.0}, False),
        ({c.COMPLETION: None, c.WATCHED_SECONDS: 300.0}, True),
        ({c.COMPLETION: 1.0, c.CONTENT_KIND: "live"}, False),
    ],
)
def test_seen_is_a_share_or_a_number_of_seconds_of_a_vod_or_clip(
    store: Store, tmp_path: Path, values: dict[str, object], is_seen: bool
) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, VIEW_VALUE, DAY, [view(1, 100, NOON, **values)])
    sync_seen(warehouse, store, Settings(home=tmp_path), DAY)
    assert row_of(store, 1).seen.tolist() == ([100] if is_seen else [])


def test_views_before_the_window_and_after_the_day_do_not_count(store: Store, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    for back, content in ((-1, 100), (0, 101), (27, 102), (28, 103)):
        day, at = DAY - timedelta(days=back), NOON - timedelta(days=back)
        write(warehouse, VIEW_VALUE, day, [view(1, content, at, **{c.COMPLETION: 1.0})])
    sync_seen(warehouse, store, Settings(home=tmp_path), DAY)
    assert sorted(row_of(store, 1).seen.tolist()) == [101, 102]


def test_loading_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    rows = [view(user, content, NOON, **{c.COMPLETION: 1.0}) for user in (1, -5) for content in (100, 2**62)]
    write(warehouse, VIEW_VALUE, DAY, rows)
    reports = [sync_seen(warehouse, store, Settings(home=tmp_path), DAY) for _ in range(2)]
    assert reports[0] == reports[1]
    assert (reports[0].users_with_seen, reports[0].seen) == (2, 4)
    assert sorted(row_of(store, -5).seen.tolist()) == [100, 2**62]


def test_hides_and_blocks_are_loaded_and_likes_are_not(store: Store, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    acts = [action(1, "block", "streamer", 10), action(1, "hide", "clip", 100), action(1, "like", "clip", 101)]
    write(warehouse, USER_ACTION, DAY - timedelta(days=100), acts)
    write(warehouse, USER_ACTION, DAY + timedelta(days=1), [action(1, "hide", "clip", 102)])
    report = sync_seen(warehouse, store, Settings(home=tmp_path), DAY)
    row = row_of(store, 1)
    assert (row.hidden_streamers.tolist(), row.hidden_contents.tolist()) == ([10], [100])
    assert report.hidden == 2
