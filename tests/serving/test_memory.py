"""What Redis' memory goes to."""

from pathlib import Path

import pytest
import redis

from contracts import redis_keys
from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import ServingSettings
from serving.memory import memory_report
from serving.publish import publish
from serving.stores.protocol import MarkKey
from serving.stores.redis_memory import family_of
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform


@pytest.fixture(params=["redis", pytest.param("redis_cluster", marks=pytest.mark.slow)])
def redis_store(request: pytest.FixtureRequest) -> RedisStore:
    return RedisStore.open(request.getfixturevalue(f"{request.param}_url"), 10_000)


def test_every_family_of_keys_is_named_with_what_it_takes(redis_store: RedisStore, tmp_path: Path) -> None:
    publish(small_platform(tmp_path), redis_store, ServingSettings(), DAY, NOW)
    redis_store.add_marks(MarkKey.SEEN, {user: {10: 100.0} for user in range(50)}, 0.0, 10, 60)
    redis_store.append(STREAM_IMPRESSIONS, b"entry", 10)

    report = memory_report(redis_store, 10_000)

    families = {family["family"]: family for family in report["families"]}
    assert {"lists of users", "users of a batch", "lists of segments", "seen", "streams", "generations"} <= set(
        families
    )
    assert families["seen"]["keys"] == 50
    assert report["users"] == 3
    assert report["size_bytes"] == sum(family["size_bytes"] for family in report["families"])
    assert families["seen"]["bytes_per_user"] == round(families["seen"]["size_bytes"] / 3, 1)


def test_a_sample_of_the_keys_tells_about_what_all_would(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    store.add_marks(MarkKey.SEEN, {user: {10: 100.0} for user in range(20_000)}, 0.0, 10, 60)
    store.add_marks(MarkKey.PROGRESS, {user: {10: 100.0} for user in range(5_000)}, 0.0, 10, 60)
    counts = {family.family: family.keys for family in store.memory(3_000)}
    assert counts["seen"] == pytest.approx(20_000, rel=0.1)
    assert counts["progress"] == pytest.approx(5_000, rel=0.2)


def test_an_empty_store_takes_nothing(redis_url: str) -> None:
    report = memory_report(RedisStore.open(redis_url, 10_000), 10)
    assert (report["size_bytes"], report["users"], report["bytes_per_user"]) == (0, 0, None)


def test_a_publish_says_what_its_generation_takes(redis_url: str, tmp_path: Path) -> None:
    store = RedisStore.open(redis_url, 10_000)
    report = publish(small_platform(tmp_path), store, ServingSettings(), DAY, NOW)
    with redis.Redis.from_url(redis_url) as client:
        names = client.smembers(redis_keys.generation_keys(report.generation))
        exact = sum(client.memory_usage(name, samples=0) for name in names)
    info = store.generation_info(report.generation)
    assert report.redis_bytes == exact
    assert (info["redis_bytes"], info["users"]) == (str(exact), "3")
    assert report.redis_bytes_per_user == exact / 3


@pytest.mark.parametrize(
    ("key", "family"),
    [
        (redis_keys.seen(-1).encode(), "seen"),
        (redis_keys.hidden_contents(1).encode(), "hidden"),
        (redis_keys.posteriors("home_clips", "new").encode(), "bandit"),
        (redis_keys.LIVE_LEASES.encode(), "live"),
        (redis_keys.GENERATION_POINTER.encode(), "generations"),
        (b"streamrec.live", "streams"),
        (b"\xff\x00feast", "other"),
    ],
)
def test_the_name_of_a_key_tells_its_family(key: bytes, family: str) -> None:
    assert family_of(key) == family
