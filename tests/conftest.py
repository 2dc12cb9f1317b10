"""Fixtures that several rooms' tests share."""

from collections.abc import Iterator

import pytest
import redis

from tests.redis_server import running_redis


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One private server for the whole run."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The run's server, emptied before the test."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushall()
    return f"{redis_server_url}/0"
