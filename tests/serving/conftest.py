"""Both stores for every test that takes `store`."""

import time
from collections.abc import Iterator

import pytest

from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(time.monotonic)
    else:
        yield RedisStore.open(request.getfixturevalue("redis_url"), 10_000)
