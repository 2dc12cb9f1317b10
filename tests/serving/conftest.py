"""Both stores for every test that takes `store`, and the small platform served from each."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.settings import Settings
from serving.publish import publish
from serving.recommend import Recommender
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from serving.wiring import Clients
from tests.serving.builders import DAY, NOW, small_platform


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(time.monotonic)
    else:
        yield RedisStore.open(request.getfixturevalue("redis_url"), 10_000)


@pytest.fixture
def recommender(store: Store, tmp_path: Path) -> Recommender:
    """Serves what `small_platform` has published."""
    settings = Settings(home=tmp_path)
    warehouse = small_platform(tmp_path)
    publish(warehouse, store, settings.serving, DAY, NOW)
    return Recommender(Clients(store, InProcessCatalogue.latest(warehouse), settings))
