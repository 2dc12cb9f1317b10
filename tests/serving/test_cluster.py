"""A Redis Cluster of three nodes serves as one Redis does; `store` of the other suites runs on it, too."""

import json
import socket
from pathlib import Path

import pytest

from contracts import redis_keys
from contracts.errors import StoreUnavailableError
from contracts.settings import ServingSettings
from contracts.unpacking import unpack
from serving.publish import publish
from serving.stores.connection import Client, connect
from serving.stores.redis_store import RedisStore
from tests.redis_server import free_port
from tests.serving.builders import DAY, NOW, row_of, small_platform
from tests.serving.redis_cli import redis_cli
from tests.slow_proxy import slow_proxy

SETTINGS = ServingSettings()


def keys_by_node(client: Client) -> list[list[str]]:
    return [[key.decode() for key in client.scan_iter(target_nodes=node)] for node in client.get_primaries()]


@pytest.mark.slow
def test_a_cluster_is_published_to_read_rolled_back_and_swept(redis_cluster_url: str, tmp_path: Path) -> None:
    warehouse, store = small_platform(tmp_path), RedisStore.open(redis_cluster_url, 10_000)
    first, second = (publish(warehouse, store, SETTINGS, DAY, NOW) for _ in range(2))

    assert store.current_generation() == second.generation
    assert [len(unpack(row_of(store, user, second.generation).packed or b"")) for user in (1, 2)] == [7, 5]
    with connect(redis_cluster_url, 10_000) as client:
        assert all(any(second.generation in key for key in keys) for keys in keys_by_node(client))
    assert store.rollback() == first.generation
    assert store.sweep() == [second.generation]
    with connect(redis_cluster_url, 10_000) as client:
        assert not [key for keys in keys_by_node(client) for key in keys if second.generation in key]
    assert row_of(store, 1, first.generation).packed is not None


@pytest.mark.slow
def test_clients_in_other_languages_read_a_cluster_one_slot_at_a_time(redis_cluster_url: str, tmp_path: Path) -> None:
    store = RedisStore.open(redis_cluster_url, 10_000)
    report = publish(small_platform(tmp_path), store, SETTINGS, DAY, NOW)
    ask = redis_cli(redis_cluster_url)

    generation = ask("GET", redis_keys.GENERATION_POINTER)
    sha = ask("GET", redis_keys.READER_SCRIPT)
    personal = json.loads(ask("EVALSHA", sha, "1", redis_keys.lists(generation, "home_clips", 0), "1"))
    fallback = json.loads(ask("EVALSHA", sha, "1", redis_keys.segment_lists(generation, "home_clips"), "heavy", "all"))

    assert (generation, sha) == (report.generation, report.reader_sha)
    assert (personal["level"], len(personal["items"])) == ("personal", 7)
    assert (fallback["level"], fallback["field"], len(fallback["items"])) == ("all", "all", 6)


@pytest.mark.slow
def test_a_cluster_of_which_no_node_answers_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        store = RedisStore.open(f"redis+cluster://127.0.0.1:{unused.getsockname()[1]}", 50)
        with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
            store.current_generation()


@pytest.mark.slow
def test_a_store_that_was_opened_before_its_cluster_was_there_reaches_it_later(redis_cluster_url: str) -> None:
    node, port = int(redis_cluster_url.rpartition(":")[2]), free_port()
    store = RedisStore.open(f"redis+cluster://127.0.0.1:{port}", 10_000)
    with pytest.raises(StoreUnavailableError):
        store.current_generation()
    with slow_proxy(node, port=port):
        assert store.current_generation() is None
