"""A published platform for edges in this process, and one server for all tests that do not take its Redis away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contracts.settings import Settings
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import edge_settings
from tests.serving.http.running import Running, running_server, settings_of


@pytest.fixture
def edge(redis_url: str, tmp_path: Path) -> Settings:
    """Of an edge that serves what `small_platform` has published."""
    settings = edge_settings(tmp_path, redis_url)
    store = RedisStore.open(redis_url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    return settings


@pytest.fixture(scope="package")
def shared_server(redis_server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("edge")
    small_platform(home)
    # What earlier tests left live would stay live for this worker: a Redis that is emptied takes nobody off the air.
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushall()
    with running_server(settings_of(home, f"{redis_server_url}/0")) as running:
        yield running


@pytest.fixture
def server(shared_server: Running, redis_url: str) -> Running:
    """A server over HTTP, with the small platform published into a Redis that was empty."""
    assert redis_url == shared_server.worker.settings.redis.url
    shared_server.publish()
    return shared_server
