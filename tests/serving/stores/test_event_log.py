"""What a learner relies on in a log, on a real Redis and on its twin."""

import time
from itertools import pairwise

import pytest
import redis

from serving.stores.event_log import START
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

HOUR_MS = 3_600_000


def test_entries_are_read_from_an_id_on_itself_included(store: Store) -> None:
    for number in range(5):
        store.append("s", str(number).encode(), 1_000)
    page = store.read_from("s", START, 3)
    assert [entry.body for entry in page] == [b"0", b"1", b"2"]
    assert [entry.body for entry in store.read_from("s", page[-1].id, 9)] == [b"2", b"3", b"4"]
    assert [id_ for id_, _ in store.read_stream("s", page[-1].id, 1)] == [store.read_from("s", page[-1].id, 2)[1].id]
    assert store.read_from("nothing", START, 3) == []


def test_what_is_appended_after_a_seal_is_not_before_it(store: Store) -> None:
    for _ in range(20):
        store.append("s", b"", 1_000)
        sealed = store.seal("s")
        assert store.read_from("s", START, 99)[-1].at_ms <= sealed
        store.append("s", b"", 1_000)
        assert store.read_from("s", START, 99)[-1].at_ms >= sealed
    ids = [entry.id for entry in store.read_from("s", START, 99)]
    assert len(set(ids)) == 40


def test_a_seal_of_a_stream_that_is_not_there_holds_for_its_first_entry(store: Store) -> None:
    sealed = store.seal("s")
    assert store.read_from("s", START, 9) == []
    store.append("s", b"first", 10)
    [entry] = store.read_from("s", START, 9)
    assert (entry.body, entry.at_ms >= sealed) == (b"first", True)


def test_a_clock_that_steps_back_seals_where_the_stream_is(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    ahead_ms = int(time.time() * 1_000) + HOUR_MS
    with redis.Redis.from_url(redis_url) as client:
        client.xadd("s", {b"e": b"from before the clock stepped back"}, id=f"{ahead_ms}-7")
    assert store.seal("s") == ahead_ms
    store.append("s", b"later", 10)
    assert [entry.at_ms for entry in store.read_from("s", START, 9)] == [ahead_ms, ahead_ms]


def test_the_twins_time_does_not_go_back_either() -> None:
    now = [1_000.0]
    store = MemoryStore(lambda: now[0])
    store.append("s", b"a", 10)
    assert store.seal("s") == 1_000_000
    now[0] = 500.0
    store.append("s", b"b", 10)
    assert store.seal("s") == 1_000_000
    assert [entry.at_ms for entry in store.read_from("s", START, 9)] == [1_000_000, 1_000_000]


def test_trimming_keeps_what_is_not_before_a_time(store: Store) -> None:
    for _ in range(500):
        store.append("s", b"x" * 100, 100_000)
    time.sleep(0.01)
    store.seal("s")
    store.append("s", b"kept", 100_000)
    last = store.read_from("s", START, 1_000)[-1]
    store.trim("s", last.at_ms)
    left = store.read_from("s", START, 1_000)
    assert left[-1] == last
    # Redis lets go whole blocks of a hundred.
    assert len(left) <= 101
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(left))


@pytest.mark.parametrize("before_ms", [-5, 0])
def test_trimming_before_all_time_keeps_everything(store: Store, before_ms: int) -> None:
    store.append("s", b"kept", 10)
    store.trim("s", before_ms)
    assert len(store.read_from("s", START, 9)) == 1


def test_an_entry_without_our_field_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.xadd("s", {b"other": b"field"})
    assert RedisStore.open(redis_url, 10_000).read_from("s", START, 1)[0].body == b""
