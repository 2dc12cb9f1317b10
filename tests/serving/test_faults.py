"""The store fails before or in the middle of a request of the command line."""

from pathlib import Path

import pytest

from contracts.errors import StoreUnavailableError
from contracts.settings import MirrorSettings, RedisSettings, Settings
from serving.once import recommend
from serving.publish import publish
from serving.query import Request
from serving.recommend import Recommender
from serving.requests import Asked, to_request
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import UserRow
from tests.redis_server import running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.platform import Platform, ids


class BreakingStore(RedisStore):
    """Redis that goes away at one kind of call: the connection is real, the address is not any more."""

    breaks_at = ""

    def __getattribute__(self, name: str) -> object:
        if name == object.__getattribute__(self, "breaks_at"):
            gone = RedisStore.open("redis://127.0.0.1:1/0", 50)
            return getattr(gone, name)
        return super().__getattribute__(name)


def request(settings: Settings, surface: str = "home_clips") -> Request:
    return to_request(Asked("r", surface, 1, 5), NOW, settings.serving)


@pytest.mark.parametrize(
    "breaks_at", ["current_generation", "segment_lists", "all_posteriors", "all_leases", "all_visibility", "read"]
)
def test_a_process_that_serves_once_says_what_it_could_not_read(redis_url: str, tmp_path: Path, breaks_at: str) -> None:
    settings = Settings(home=tmp_path)
    store = BreakingStore.open(redis_url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    store.breaks_at = breaks_at
    with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
        Platform(store, settings).serve(request(settings))


@pytest.mark.parametrize(("user", "segment"), [(1, "all"), (None, "all")])
def test_a_user_who_cannot_be_read_gets_the_list_of_everybody_and_is_told(
    platform: Platform, user: int | None, segment: str
) -> None:
    recommender = Recommender(platform.settings)
    question = to_request(Asked("r", "home_clips", user, 5), NOW, platform.settings.serving)
    slate = recommender.answer(recommender.ask(question, platform.state()), UserRow(), "Redis did not answer (gone)")
    assert (slate.level, slate.query.segment) == ("popular", segment)
    assert set(ids(slate)) <= {500, 501, 502, 503, 504, 505}
    assert slate.notes[0] == "Redis did not answer (gone)"


def test_a_server_that_dies_between_two_requests_is_a_named_error(tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    with running_redis(tmp_path) as url:
        settings = Settings(
            home=tmp_path,
            redis=RedisSettings(url=f"{url}/0", timeout_ms=10_000),
            mirrors=MirrorSettings(timeout_ms=10_000),
        )
        publish(warehouse, RedisStore.open(f"{url}/0", 10_000), settings.serving, DAY, NOW)
        assert recommend(settings, warehouse, request(settings)).items
    with pytest.raises(StoreUnavailableError, match="Redis did not answer"):
        recommend(settings, warehouse, request(settings))
