"""Both stores for every test that takes `store`, and the small platform served from each."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.settings import BanditSettings, Settings
from serving.epochs import ensure_contexts
from serving.publish import publish
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import RunningEdge, running_edge
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


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    """`small_platform`, served with a key by a process of its own out of a Redis of its own; tests share both."""
    home, key = tmp_path_factory.mktemp("running_edge"), "a key of the tests"
    with running_redis(home) as server:
        url = f"{server}/0"
        store = RedisStore.open(url, 10_000)
        publish(small_platform(home), store, Settings(home=home).serving, DAY, NOW)
        environment = {
            "STREAMREC_HOME": str(home),
            "STREAMREC_REDIS__URL": url,
            "STREAMREC_HTTP__API_KEYS": f'{{"tests": "{hashlib.sha256(key.encode()).hexdigest()}"}}',
        }
        with running_edge(environment, home / "edge.log") as address:
            yield RunningEdge(address, key)
