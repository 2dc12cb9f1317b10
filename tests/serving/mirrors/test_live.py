"""The mirror of leases on both stores, refreshed by hand."""

import time

import numpy as np
import pytest
import redis

from contracts import redis_keys
from contracts.settings import MirrorSettings
from serving.mirrors.live import LiveMirror
from serving.stores.leases import Ending, LeaseDetails, LeaseTerms, Renewal
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

TERMS = LeaseTerms(90.0, 3_600.0, 1_000)
QUICK = MirrorSettings(block_ms=0)


def on(streamer: int, broadcast: int, title: str | None = None) -> Renewal:
    return Renewal(streamer, broadcast, 100.0, 100.0, LeaseDetails(title) if title else None)


def mirror_of(store: Store) -> LiveMirror:
    mirror = LiveMirror(store, QUICK, time.monotonic)
    mirror.refresh()
    return mirror


def live(mirror: LiveMirror) -> list[int]:
    """Broadcasts of who is on now."""
    return mirror.table.broadcast_ids[mirror.table.live(mirror.now())].tolist()


def test_the_first_refresh_reads_everything_and_the_next_what_changed(store: Store) -> None:
    store.apply_live([on(1, 10), on(2, 20)], TERMS)
    mirror = mirror_of(store)
    assert live(mirror) == [10, 20]
    store.apply_live([on(3, 30, "new"), Ending(1, 10), on(2, 20)], TERMS)
    mirror.refresh()
    assert live(mirror) == [20, 30]
    table, rows = mirror.lookup(np.array([3, 1], np.int64))
    assert (rows.tolist(), table.titles[rows[0]]) == ([1, -1], "new")


def test_what_changes_while_everything_is_read_is_not_lost(store: Store) -> None:
    class Late:
        """The store, on which a streamer goes live while the leases are read."""

        def __getattr__(self, name: str) -> object:
            if name == "all_leases":
                found = store.all_leases()
                store.apply_live([on(1, 10)], TERMS)
                return lambda: found
            return getattr(store, name)

    mirror = mirror_of(Late())  # type: ignore[arg-type]
    assert live(mirror) == []
    mirror.refresh()
    assert live(mirror) == [10]


def test_a_quiet_feed_is_no_reason_to_read_everything_again(store: Store) -> None:
    store.apply_live([on(1, 10)], TERMS)
    mirror = mirror_of(store)
    table = mirror.table
    mirror.refresh()
    assert mirror.table is table


def test_a_table_that_is_old_says_so_until_it_is_fresh_again(store: Store) -> None:
    store.apply_live([on(1, 10)], TERMS)
    mirror = mirror_of(store)
    mirror.failed("Redis did not answer")
    assert mirror.table.problem == "live broadcasts are as last known: Redis did not answer"
    assert live(mirror) == [10]
    mirror.refresh()
    assert mirror.table.problem == ""


def test_a_consumer_that_stands_still_is_named_and_one_that_never_was_is_not(redis_url: str) -> None:
    now = [1_000_000.0]
    store = RedisStore.open(redis_url, 10_000, clock=lambda: now[0])
    mirror = LiveMirror(store, QUICK, lambda: now[0])
    mirror.refresh()
    assert mirror.table.problem == ""
    store.apply_live([on(1, 10)], TERMS, "1-0")
    now[0] += 31
    mirror.refresh()
    assert mirror.table.problem == "`python -m serving consume_live` has not been at work for 31 s"
    store.apply_live([], TERMS, "1-0")
    mirror.refresh()
    assert mirror.table.problem != ""
    now[0] += 5
    mirror.refresh()
    assert mirror.table.problem == ""


@pytest.mark.parametrize("step", [-3_600.0, 3_600.0])
def test_a_server_whose_clock_is_set_costs_seconds(redis_url: str, step: float) -> None:
    server, worker = [1_000_000.0], [0.0]
    store = RedisStore.open(redis_url, 10_000, clock=lambda: server[0])
    store.apply_live([on(1, 10)], TERMS)
    mirror = LiveMirror(store, QUICK, lambda: worker[0])
    mirror.refresh()
    server[0] += step + 5
    worker[0] += 5
    store.apply_live([on(1, 10)], TERMS)
    mirror.refresh()
    assert live(mirror) == [10]
    assert store.all_leases()[1].expires_at == server[0] + 90


def test_a_store_that_lost_its_memory_takes_nobody_off_the_air(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.apply_live([on(1, 10, "finals"), on(2, 20, "chess")], TERMS)
    mirror = mirror_of(store)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    mirror.refresh()
    assert live(mirror) == [10, 20]
    store.apply_live([on(2, 20), on(3, 30)], TERMS)
    mirror.refresh()
    assert live(mirror) == [10, 20, 30]
    assert mirror.table.titles.tolist() == ["finals", "chess", None]


@pytest.mark.parametrize("body", [b"", b"?", b"+1", b"=x 5", b"+1 5 no record"])
def test_an_entry_of_the_feed_that_cannot_be_read_costs_a_reload_only(redis_url: str, body: bytes) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.apply_live([on(1, 10)], TERMS)
    mirror = mirror_of(store)
    store.append(redis_keys.LIVE_CHANGES, body, 100)
    store.apply_live([on(2, 20)], TERMS)
    with pytest.raises((ValueError, IndexError)):
        mirror.refresh()
    mirror.refresh()
    assert live(mirror) == [10, 20]


def test_a_lease_that_somebody_wrote_by_hand_hides_no_other(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.apply_live([on(1, 10), on(2, 20)], TERMS)
    with redis.Redis.from_url(redis_url) as client:
        client.hset(redis_keys.LIVE_LEASES, "1", "a lease")
    assert live(mirror_of(store)) == [20]
