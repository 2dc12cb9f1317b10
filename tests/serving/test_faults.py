"""The store fails in the middle of a request."""

from pathlib import Path

import pytest

from contracts.errors import StoreUnavailableError
from contracts.settings import Settings
from serving.publish import publish
from serving.recommend import Recommender, to_request
from serving.slate import Slate
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.redis_store import RedisStore
from serving.wiring import Clients
from tests.redis_server import running_redis
from tests.serving.builders import DAY, NOW, small_platform


class BreakingStore(RedisStore):
    """Redis that goes away at one kind of call: the connection is real, the address is not any more."""

    breaks_at = ""

    def __getattribute__(self, name: str) -> object:
        if name == object.__getattribute__(self, "breaks_at"):
            gone = RedisStore.open("redis://127.0.0.1:1/0", 50)
            return getattr(gone, name)
        return super().__getattribute__(name)


def recommend(root: Path, url: str, breaks_at: str, surface: str = "home_clips") -> Slate:
    settings = Settings(home=root)
    warehouse = small_platform(root)
    store = BreakingStore.open(url, 10_000)
    publish(warehouse, store, settings.serving, DAY, NOW)
    store.breaks_at = breaks_at
    clients = Clients(store, InProcessCatalogue.latest(warehouse), settings)
    return Recommender(clients).recommend(to_request("r", 1, surface, 5, NOW, 100))


@pytest.mark.parametrize(
    ("breaks_at", "surface"),
    [("current_generation", "home_clips"), ("user_row", "home_clips"), ("leases", "home_live")],
)
def test_without_lists_or_leases_there_is_a_named_error(
    redis_url: str, tmp_path: Path, breaks_at: str, surface: str
) -> None:
    with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
        recommend(tmp_path, redis_url, breaks_at, surface)


@pytest.mark.parametrize(
    ("breaks_at", "note"),
    [
        ("posteriors", "the bandit's posteriors could not be read, so it used its prior: Redis did not answer"),
        ("append", "ImpressionLog was not done: Redis did not answer"),
    ],
)
def test_what_has_a_fallback_is_served_and_said(redis_url: str, tmp_path: Path, breaks_at: str, note: str) -> None:
    slate = recommend(tmp_path, redis_url, breaks_at)
    assert len(slate.items) == 5
    assert [text for text in slate.notes if text.startswith(note)]


def test_a_server_that_dies_between_two_requests_is_a_named_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    warehouse = small_platform(tmp_path)
    with running_redis(tmp_path) as url:
        store = RedisStore.open(f"{url}/0", 10_000)
        publish(warehouse, store, settings.serving, DAY, NOW)
        recommender = Recommender(Clients(store, InProcessCatalogue.latest(warehouse), settings))
        request = to_request("r", 1, "home_clips", 5, NOW, 100)
        assert recommender.recommend(request).items
    with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
        recommender.recommend(request)
