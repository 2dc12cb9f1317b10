"""Edges for the tests: a platform for edges in this process, and one server for tests that leave its Redis alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.settings import Settings
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edge import Running, running_edge, settings_of
from tests.serving.http.edges import edge_settings


@pytest.fixture
def published(redis_url: str, tmp_path: Path) -> Settings:
    """Of an edge that serves what `small_platform` has published."""
    settings = edge_settings(tmp_path, redis_url)
    store = RedisStore.open(redis_url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    return settings


@pytest.fixture(scope="package")
def served(redis_server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("edge")
    small_platform(home)
    with running_edge(settings_of(home, f"{redis_server_url}/0")) as edge:
        yield edge


@pytest.fixture
def edge(served: Running, redis_url: str) -> Running:
    """The server, with the small platform published into a Redis that was empty."""
    assert redis_url == served.worker.settings.redis.url
    served.publish()
    return served
