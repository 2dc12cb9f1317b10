import numpy as np
import pytest
import redis

from contracts.settings import MirrorSettings
from serving.mirrors.removed import RemovedMirror
from serving.stores.leases import VisibilityChange
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

HOUR = 3_600.0


def removed(content: int, at: float = 100.0) -> VisibilityChange:
    return VisibilityChange(content, at, True)


def shown(content: int, at: float) -> VisibilityChange:
    return VisibilityChange(content, at, False)


def mirror_of(store: Store, now: list[float]) -> RemovedMirror:
    mirror = RemovedMirror(store, MirrorSettings(block_ms=0), lambda: now[0], HOUR)
    mirror.refresh()
    return mirror


def test_takedowns_are_known_and_taken_back(store: Store) -> None:
    store.apply_visibility([removed(5), removed(6)], HOUR, 100)
    mirror = mirror_of(store, [0.0])
    ids = np.array([7, 6, 5, -(2**63)], np.int64)
    assert mirror.table.removed(ids).tolist() == [False, True, True, False]
    store.apply_visibility([shown(6, 101.0), removed(-(2**63))], HOUR, 100)
    mirror.refresh()
    assert mirror.table.removed(ids).tolist() == [False, False, True, True]


def test_nothing_is_removed_where_nothing_was_said(store: Store) -> None:
    mirror = mirror_of(store, [0.0])
    assert mirror.table.removed(np.array([1, 2], np.int64)).tolist() == [False, False]
    assert mirror.table.removed(np.array([], np.int64)).tolist() == []


def test_a_takedown_outlives_a_store_that_lost_its_memory_until_its_time_is_over(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    now = [0.0]
    store.apply_visibility([removed(5)], HOUR, 100)
    mirror = mirror_of(store, now)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    now[0] = 3_000.0
    mirror.refresh()
    assert mirror.table.content_ids.tolist() == [5]
    now[0] = 4_000.0
    mirror.refresh()
    assert mirror.table.content_ids.tolist() == []


def test_a_table_that_is_old_says_so(store: Store) -> None:
    store.apply_visibility([removed(5)], HOUR, 100)
    mirror = mirror_of(store, [0.0])
    mirror.failed("no answer")
    assert (mirror.table.problem, mirror.table.content_ids.tolist()) == ("takedowns are as last known: no answer", [5])
    mirror.refresh()
    assert mirror.table.problem == ""


@pytest.mark.parametrize("lost", [True, False])
def test_an_expired_takedown_is_forgotten_by_the_store(redis_url: str, lost: bool) -> None:
    now = [1_000.0]
    store = RedisStore.open(redis_url, 10_000, clock=lambda: now[0])
    store.apply_visibility([removed(5)], HOUR, 100)
    now[0] += HOUR if lost else HOUR - 1
    store.apply_visibility([removed(6)], HOUR, 100)
    assert sorted(change.content_id for change in store.all_visibility()) == ([6] if lost else [5, 6])
