"""A published platform for edges in this process, and one edge that runs for the whole session."""

from pathlib import Path

import pytest

from contracts.settings import Settings
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import edge_settings


@pytest.fixture
def edge(redis_url: str, tmp_path: Path) -> Settings:
    """Of an edge that serves what `small_platform` has published."""
    settings = edge_settings(tmp_path, redis_url)
    store = RedisStore.open(redis_url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    return settings
