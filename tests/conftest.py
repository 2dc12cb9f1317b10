"""Servers that a run starts once and its tests share: a Spark session costs about nine seconds."""

from collections.abc import Iterator

# Before anything imports feast, which makes every counter of the process one that is shared through files: workers of
# the edge that tests start one after the other would add up.
import prometheus_client  # noqa: F401
import pytest
import redis
from pyspark.sql import SparkSession

from contracts.settings import Settings, SparkSettings
from contracts.spark import SHORT_RUN
from jobs.session import open_session
from serving.stores.connection import connect
from tests.redis_cluster import running_cluster
from tests.redis_server import running_redis

# The jobs of a day compile some 700 classes, of which Spark keeps 100: the next test that runs them would compile them
# again. For `test_hourly.py` alone that was 2,140 compilations instead of 714, and a seventh of the CPU time.
_JAVA_OPTIONS = f"{SHORT_RUN} -Dspark.sql.codegen.cache.maxEntries=5000"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    settings = Settings(home=tmp_path_factory.mktemp("spark"), spark=SparkSettings(java_options=_JAVA_OPTIONS))
    return open_session(settings)


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The run's server, emptied before the test."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushall()
    return f"{redis_server_url}/0"


@pytest.fixture(scope="session")
def redis_cluster_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
def redis_cluster_url(redis_cluster_server_url: str) -> str:
    """The run's cluster, emptied before the test."""
    with connect(redis_cluster_server_url, 10_000) as client:
        client.flushall(target_nodes=client.PRIMARIES)
    return redis_cluster_server_url
