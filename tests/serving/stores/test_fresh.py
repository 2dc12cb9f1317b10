"""Fresh contents, on every backend."""

import pytest
import redis

from contracts import redis_keys
from serving.stores.fresh import FreshChange, changed_ids
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

EVERY_INT64 = [0, 1, -1, 2**63 - 1, -(2**63)]


def told(store: Store) -> list[int]:
    entries = store.follow(redis_keys.FRESH_CHANGES, "0", 100, 0)
    return [content for entry in entries for content in changed_ids(entry.body)]


@pytest.mark.parametrize("content", EVERY_INT64)
def test_an_item_is_put_told_and_dropped(store: Store, content: int) -> None:
    assert store.apply_fresh(FreshChange("0", "5-1", {content: b"item"}), 100)
    assert store.fresh_items() == store.fresh_items([content, 77]) == {content: b"item"}
    assert store.apply_fresh(FreshChange("5-1", "5-1", dropped=[content]), 100)
    assert store.fresh_items() == {}
    assert told(store) == [content, content]


def test_the_position_moves_with_the_items(store: Store) -> None:
    assert store.position(redis_keys.FRESH_POSITION) == "0"
    store.apply_fresh(FreshChange("0", "5-1", {1: b"a"}), 100)
    assert store.position(redis_keys.FRESH_POSITION) == "5-1"


def test_who_has_not_read_the_latest_changes_nothing(store: Store) -> None:
    store.apply_fresh(FreshChange("0", "5-1", {1: b"a"}), 100)
    assert not store.apply_fresh(FreshChange("0", "6-1", {1: b"b"}, dropped=[1]), 100)
    assert store.fresh_items() == {1: b"a"}
    assert (store.position(redis_keys.FRESH_POSITION), told(store)) == ("5-1", [1])


def test_a_step_without_items_moves_the_position_and_tells_nobody(store: Store) -> None:
    assert store.apply_fresh(FreshChange("0", "5-1"), 100)
    assert (store.position(redis_keys.FRESH_POSITION), told(store)) == ("5-1", [])


def test_many_items_are_read_at_once(store: Store) -> None:
    wanted = {content: str(content).encode() for content in range(2_500)}
    for start in range(0, 2_500, 500):
        part = {content: wanted[content] for content in range(start, start + 500)}
        store.apply_fresh(FreshChange("0", "0", part), 100)
    assert store.fresh_items(list(wanted)) == wanted
    assert store.fresh_items() == wanted


def test_all_keys_lie_in_one_slot_of_a_cluster(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.apply_fresh(FreshChange("0", "5-1", {1: b"a"}), 100)
    with redis.Redis.from_url(redis_url) as client:
        keys = {key.decode() for key in client.scan_iter()}
    assert keys == {redis_keys.FRESH_ITEMS, redis_keys.FRESH_CHANGES, redis_keys.FRESH_POSITION}
    assert all("{fresh}" in key for key in keys)
