"""One server for all tests of the edge that do not take its Redis away."""

from collections.abc import Iterator

import pytest

from tests.serving.builders import small_platform
from tests.serving.http.edge import Running, running_edge, settings_of


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
