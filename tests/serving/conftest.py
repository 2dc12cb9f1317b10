"""Both stores for every test that takes `store`, and the small platform served from each."""

import time
from pathlib import Path

import pytest

from contracts.settings import BanditSettings, Settings
from serving.epochs import ensure_contexts
from serving.publish import publish
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.platform import Platform


@pytest.fixture(params=["redis", "memory", pytest.param("redis_cluster", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore(time.monotonic)
    return RedisStore.open(request.getfixturevalue(f"{request.param}_url"), 10_000)


@pytest.fixture
def platform(store: Store, tmp_path: Path) -> Platform:
    """What `small_platform` has published."""
    settings = Settings(home=tmp_path, bandit=BanditSettings(propensity_draws=5_000))
    ensure_contexts(store, settings.bandit, settings.candidates.surfaces)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    return Platform(store, settings)
