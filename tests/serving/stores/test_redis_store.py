"""What only a real server can show: times to live, time limits, memory."""

import socket
import time

import pytest
import redis

from contracts import redis_keys
from contracts.errors import PublishOvertakenError, StoreUnavailableError
from serving.stores.connection import connect, send
from serving.stores.hashes import Hashes
from serving.stores.redis_store import RedisStore
from serving.stores.resp import hset_and_expire


def test_every_key_of_a_generation_but_the_pointers_expires(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.begin("g1", 60)
    store.write_hashes("g1", Hashes.of({redis_keys.lists("g1", "home_clips", 0): {b"1": b"list"}}), 100)
    store.flip("g1", {"day": "2026-01-30"}, 100)
    with redis.Redis.from_url(redis_url) as client:
        lasting = {key.decode() for key in client.scan_iter() if client.ttl(key) == -1}
    assert lasting == {redis_keys.GENERATION_POINTER, redis_keys.GENERATION_HISTORY, redis_keys.GENERATIONS_BEGUN}


def test_a_server_that_is_away_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        store = RedisStore.open(f"redis://127.0.0.1:{unused.getsockname()[1]}/0", 50)
        with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
            store.current_generation()


def test_a_server_that_does_not_answer_costs_no_more_than_the_limit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = RedisStore.open(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", 50)
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="Timeout"):
            store.current_generation()
        # One connection attempt and one call, with room for a busy machine; a retry would cost a second.
        assert time.monotonic() - started < 0.9


def test_what_a_publish_wrote_after_it_was_swept_goes_with_the_next_sweep(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.begin("g1", 60)
    with redis.Redis.from_url(redis_url) as client:
        client.delete(redis_keys.generation_heartbeat("g1"))
        assert store.sweep() == ["g1"]
        store.write_hashes("g1", Hashes.of({redis_keys.lists("g1", "home_clips", 0): {b"1": b"list"}}), 100)
        with pytest.raises(PublishOvertakenError, match="publish again"):
            store.flip("g1", {"day": "2026-01-30"}, 100)
        assert store.sweep() == ["g1"]
        assert client.keys() == []


def test_fields_that_were_there_already_are_told(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    key = redis_keys.lists("g1", "home_clips", 0)
    assert store.write_hashes("g1", Hashes.of({key: {b"1": b"a", b"2": b"b"}}), 100) == 2
    assert store.write_hashes("g1", Hashes.of({key: {b"2": b"c", b"3": b"d"}}), 100) == 1
    assert store.write_hashes("g1", Hashes.of({}), 100) == 0


def test_a_refused_command_is_named_and_the_next_write_gets_its_own_replies(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    taken, free = (redis_keys.lists("g1", "home_clips", bucket) for bucket in (0, 1))
    with redis.Redis.from_url(redis_url) as client:
        client.set(taken, b"no hash")
        with pytest.raises(StoreUnavailableError, match="WRONGTYPE"):
            store.write_hashes("g1", Hashes.of({taken: {b"1": b"a"}, free: {b"256": b"b"}}), 100)
        assert store.write_hashes("g1", Hashes.of({free: {b"256": b"b", b"257": b"c", b"258": b"d"}}), 100) == 2
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreUnavailableError, match="used memory"):
                store.write_hashes("g1", Hashes.of({free: {b"259": b"e"}}), 100)
        finally:
            client.config_set("maxmemory", 0)
        assert client.hlen(free) == 3


def test_replies_that_come_too_late_answer_nobody_else(redis_url: str) -> None:
    client = connect(redis_url, 50)
    client.set("k", b"value")
    with redis.Redis.from_url(redis_url) as other:
        other.client_pause(200, all=False)
    with pytest.raises(redis.TimeoutError):
        send(client, hset_and_expire(Hashes.of({"h": {b"1": b"a"}}), 100), 2)
    time.sleep(0.3)
    assert client.get("k") == b"value"
