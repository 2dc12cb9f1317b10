"""Clients in other languages read lists with one script; `redis-cli` stands for them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import redis_keys
from contracts.names import Segment
from contracts.packed_lists import pack
from contracts.packed_user import SEGMENTS
from contracts.payload import KINDS, SOURCES, CandidateColumns
from contracts.settings import ServingSettings
from contracts.tables import CANDIDATE_LIST
from contracts.unpacking import unpack
from serving.publish import PublishReport, publish
from serving.stores.reader_script import reader_script
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, candidate_rows, clips, small_platform, write
from tests.serving.redis_cli import redis_cli

INT64 = st.integers(-(2**63), 2**63 - 1)
NEAR = st.integers(0, 300)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
IDS = st.one_of(INT64, NEAR, st.sampled_from([0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]))
ROW = st.tuples(IDS, st.integers(0, len(KINDS) - 1), IDS, st.integers(0, len(SOURCES) - 1), FLOAT32)
USERS = [-(2**63), -(2**63) + 255, -257, -256, -1, 0, 255, 256, 2**53 + 1, 2**63 - 1]
Read = Callable[..., dict[str, Any]]


def columns(rows: list[tuple[int, int, int, int, float]]) -> CandidateColumns:
    items, kinds, streamers, sources, scores = zip(*rows, strict=True) if rows else ((),) * 5
    return CandidateColumns(
        np.array(items, np.int64),
        np.array(kinds, np.uint8),
        np.array(streamers, np.int64),
        np.array(sources, np.uint8),
        np.array(scores, np.float32),
    )


@pytest.fixture
def published(redis_url: str, tmp_path: Path) -> PublishReport:
    return publish(small_platform(tmp_path), RedisStore.open(redis_url, 10_000), ServingSettings(), DAY, NOW)


@pytest.fixture
def read(redis_url: str) -> Read:
    """The list to show, by nothing but what publish has left in Redis."""
    ask = redis_cli(redis_url)

    def call(surface: str, user: str) -> dict[str, Any]:
        sha = ask("GET", redis_keys.READER_SCRIPT)
        answer: dict[str, Any] = json.loads(ask("EVALSHA", sha, "1", redis_keys.GENERATION_POINTER, surface, user))
        return answer

    return call


@pytest.fixture(scope="module")
def from_hash(redis_server_url: str) -> Callable[[bytes], dict[str, Any]]:
    client = redis.Redis.from_url(redis_server_url)
    script = client.register_script(reader_script())

    def call(packed: bytes) -> dict[str, Any]:
        client.hset(redis_keys.lists("g", "home_clips", 0), "1", packed)
        answer: dict[str, Any] = json.loads(script(keys=[redis_keys.lists("g", "home_clips", 0)], args=["1"]))
        return answer

    return call


def test_the_own_list_of_a_user_comes_first(read: Read, published: PublishReport) -> None:
    answer = read("home_clips", "1")
    assert (answer["generation"], answer["level"], answer["notes"]) == (published.generation, "personal", [])
    assert [item["id"] for item in answer["items"]] == ["100", "101", "102", "103", "200", "201", "202"]
    first = {"kind": "clip", "id": "100", "streamer": "10", "source": "two_tower", "score": 1.0}
    assert answer["items"][0] == first


@pytest.mark.parametrize(
    ("user", "level", "field", "first"),
    [
        ("3", "segment", "light", "400"),
        ("4", "all", "all", "500"),
        ("", "all", "all", "500"),
        ("9223372036854775808", "all", "all", "500"),
        ("007", "all", "all", "500"),
        ("; --", "all", "all", "500"),
    ],
)
def test_without_an_own_list_the_nearest_one_is_given_and_named(
    read: Read, published: PublishReport, user: str, level: str, field: str, first: str
) -> None:
    answer = read("home_clips", user)
    assert (answer["level"], answer["field"], answer["items"][0]["id"]) == (level, field, first)


def test_an_erased_user_is_nobody_known(read: Read, published: PublishReport, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(redis_keys.erased(1), "2026-01-31")
    assert read("home_clips", "1")["level"] == "all"


def test_a_list_that_cannot_be_read_is_said_and_passed_over(
    read: Read, published: PublishReport, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.hset(redis_keys.lists(published.generation, "home_clips", 0), "1", b"\x02" * 40)
    answer = read("home_clips", "1")
    assert (answer["level"], answer["notes"]) == ("all", ["the list of 1 cannot be read: payload version 2"])


def test_a_surface_without_any_list_is_empty(read: Read, published: PublishReport) -> None:
    answer = read("nothing", "1")
    assert (answer["level"], answer["items"]) == (None, [])


def test_nothing_published_is_said(redis_url: str) -> None:
    RedisStore.open(redis_url, 10_000).install_reader()
    with redis.Redis.from_url(redis_url) as client:
        answer = json.loads(client.eval(reader_script(), 1, redis_keys.GENERATION_POINTER, "home_clips", "1"))
    assert answer == {"generation": None, "level": None, "field": None, "notes": ["nothing is published"], "items": []}


def test_after_a_rollback_the_generation_before_is_read(
    read: Read, published: PublishReport, redis_url: str, tmp_path: Path
) -> None:
    store = RedisStore.open(redis_url, 10_000)
    publish(small_platform(tmp_path / "again"), store, ServingSettings(), DAY, NOW)
    store.rollback()
    assert read("home_clips", "1")["generation"] == published.generation


def test_the_list_of_a_streamer_is_read_out_of_its_hash(published: PublishReport, redis_url: str) -> None:
    ask = redis_cli(redis_url)
    key = redis_keys.target_lists(published.generation, "channel_vods", 0)
    answer = json.loads(ask("EVALSHA", published.reader_sha, "1", key, "10"))
    assert (answer["level"], [item["id"] for item in answer["items"]]) == ("target", ["101", "103"])


def test_any_user_id_finds_its_list(read: Read, redis_url: str, tmp_path: Path) -> None:
    warehouse = small_platform(tmp_path)
    rows = [row for user in USERS for row in candidate_rows(clips(user, 2, first=user // 2))]
    write(warehouse, CANDIDATE_LIST, DAY, rows)
    publish(warehouse, RedisStore.open(redis_url, 10_000), ServingSettings(), DAY, NOW)
    for user in USERS:
        answer = read("home_clips", str(user))
        assert (answer["level"], answer["items"][0]["id"]) == ("personal", str(user // 2))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=40))
def test_the_script_reads_what_python_reads(
    from_hash: Callable[[bytes], dict[str, Any]], rows: list[tuple[int, int, int, int, float]]
) -> None:
    expected = unpack(pack(columns(rows)))
    items = from_hash(pack(columns(rows)))["items"]
    assert [int(item["id"]) for item in items] == expected.item_ids.tolist()
    assert [int(item["streamer"]) for item in items] == expected.streamer_ids.tolist()
    assert [item["kind"] for item in items] == [KINDS[kind] for kind in expected.kinds]
    assert [item["source"] for item in items] == [SOURCES[source] for source in expected.sources]
    scores = np.array([item["score"] for item in items])
    assert np.allclose(scores, expected.scores.astype(np.float64), rtol=1e-6, atol=1e-43)


def test_the_script_reads_more_than_256_streamers(from_hash: Callable[[bytes], dict[str, Any]]) -> None:
    rows = [(place, 2, place * 3, 1, 1.0) for place in range(300)]
    items = from_hash(pack(columns(rows)))["items"]
    assert [item["streamer"] for item in items] == [str(place * 3) for place in range(300)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.one_of(st.binary(max_size=120), st.binary(max_size=90).map(lambda tail: b"\x01\x01\x00\x01" + tail)))
def test_noise_is_passed_over_and_never_breaks_the_script(
    from_hash: Callable[[bytes], dict[str, Any]], noise: bytes
) -> None:
    answer = from_hash(noise)
    assert answer["items"] == [] or answer["level"] == "personal"


@pytest.mark.parametrize(
    ("name", "words"), [("KINDS", KINDS), ("SOURCES", SOURCES), ("SEGMENTS", SEGMENTS), ("SEGMENTS", tuple(Segment))]
)
def test_the_words_of_the_script_are_those_of_the_contracts(name: str, words: tuple[str, ...]) -> None:
    """A word added to `contracts.names` is added to serving/lua/read_list.lua, too, at the same place."""
    block = re.search(rf"local {name} = {{(.*?)}}", reader_script(), re.DOTALL)
    assert block is not None
    assert re.findall(r"'(.*?)'", block[1]) == [str(word) for word in words]
