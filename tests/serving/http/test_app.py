"""Every answer of the edge, over HTTP."""

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis

from contracts import redis_keys
from contracts.names import STREAM_IMPRESSIONS, Surface
from serving.http.app import Edge
from serving.http.keys import Callers
from serving.http.worker import Worker
from serving.live import end_live, go_live
from serving.stores.hashes import Hashes
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal, VisibilityChange
from tests.serving.builders import NOW
from tests.serving.http.edges import edge_settings
from tests.serving.http.running import Running

HOME = "/v1/recommendations/1?surface=home_clips"


def ids(body: dict[str, object]) -> list[int]:
    return [int(item["id"]) for item in body["items"]]  # type: ignore[index,union-attr,attr-defined]


# What a slate says


def test_a_known_user_gets_their_own_list_with_all_that_a_caller_may_ask(server: Running) -> None:
    body = server.ask(1, limit=5)
    assert set(ids(body)) <= {100, 101, 103, 200, 201, 202}
    first = body["items"][0]
    assert (first["rank"], first["kind"], first["model_version"], first["level"]) == (1, "clip", "7", "personal")
    assert first["list_age_seconds"] > 0
    assert (body["surface"], body["user_id"], body["segment"], body["degraded"]) == ("home_clips", "1", "heavy", None)
    assert (body["policy_id"], body["posterior_epoch"], body["model_version"]) == ("thompson/2", 0, "7")
    assert body["generation"] == server.store.current_generation()
    assert {"title", "streamer", "source", "exploration_kind", "score", "why"} <= first.keys()


def test_a_user_nobody_knows_is_new_and_is_told(server: Running) -> None:
    body = server.ask(77)
    assert (body["segment"], body["degraded"]["level"], body["degraded"]["unfiltered"]) == ("new", "popular", [])
    assert body["degraded"]["reasons"][:2] == [
        "the user has no list in this generation",
        "segment `new` has no list in this generation",
    ]


def test_nobody_signed_in_gets_the_list_of_everybody(server: Running) -> None:
    body = server.ask(None, limit=6)
    assert (body["user_id"], body["segment"], len(body["items"])) == (None, "all", 6)


def test_ids_are_texts_since_a_browser_cannot_count_so_far(server: Running) -> None:
    body = server.ask(2**63 - 1)
    assert body["user_id"] == str(2**63 - 1)
    assert all(isinstance(item[name], str) for item in body["items"] for name in ("id", "streamer_id"))


def test_the_same_request_id_is_the_same_slate(server: Running) -> None:
    first, again = (server.get(HOME, **{"x-request-id": "r-7"}).json() for _ in range(2))
    assert first["request_id"] == "r-7"
    assert ids(first) == ids(again)


@pytest.mark.parametrize(("surface", "context"), [("watch_next", 101), ("channel_vods", 10), ("related_streamers", 10)])
def test_a_surface_with_a_context_is_its_list(server: Running, surface: str, context: int) -> None:
    body = server.ask(1, surface, context=context, limit=2)
    assert {item["level"] for item in body["items"]} <= {"target", "channel"}
    assert len(body["items"]) == 2 if surface != "channel_vods" else ids(body) == [101, 103]


def test_related_streamers_stay_streamers_and_say_who_is_live(server: Running) -> None:
    terms = LeaseTerms(60, 60, 100)
    go_live(server.store, Renewal(12, 9_012, 0.0, 0.0, LeaseDetails("final")), terms)
    server.until(lambda: live_ids(server) == {"12": "9012", "11": None})
    assert end_live(server.store, 12, terms)
    server.until(lambda: live_ids(server) == {"12": None, "11": None})


def live_ids(server: Running) -> dict[str, str | None]:
    items = server.ask(1, "related_streamers", context=10)["items"]
    assert {item["kind"] for item in items} == {"streamer"}
    return {item["id"]: item["live_broadcast_id"] for item in items}


def test_home_live_shows_a_broadcast_within_a_moment_of_its_start_and_not_after_its_end(server: Running) -> None:
    terms = LeaseTerms(60, 60, 100)
    go_live(server.store, Renewal(13, 9_013, 0.0, 0.0, LeaseDetails("grand final")), terms)
    server.until(lambda: ("live", "9013", "13", "grand final") in shown_live(server))
    assert end_live(server.store, 13, terms)
    server.until(lambda: not {kind for kind, *_ in shown_live(server)} & {"live"})


def shown_live(server: Running) -> list[tuple[str, str, str, str | None]]:
    items = server.ask(1, "home_live")["items"]
    return [(item["kind"], item["id"], item["streamer_id"], item["title"]) for item in items]


def test_a_takedown_is_obeyed_within_a_moment(server: Running) -> None:
    assert 201 in ids(server.ask(1, limit=20))
    change = VisibilityChange(201, NOW.timestamp(), True)
    server.store.apply_visibility([change], 60.0, 100)
    server.until(lambda: 201 not in ids(server.ask(1, limit=20)))
    server.store.apply_visibility([VisibilityChange(201, NOW.timestamp() + 1, False)], 60.0, 100)
    server.until(lambda: 201 in ids(server.ask(1, limit=20)))


def test_an_erased_user_is_nobody(server: Running) -> None:
    with redis.Redis.from_url(server.worker.settings.redis.url) as client:
        client.set(redis_keys.erased(1), b"1", ex=60)
    body = server.ask(1)
    assert (body["user_id"], body["segment"]) == (None, "all")


# What a caller may leave out


def test_excluded_ids_languages_and_age_are_obeyed(server: Running) -> None:
    assert not {100, 103} & set(ids(server.ask(1, limit=20, exclude=[100, 103])))
    assert ids(server.ask(1, limit=20, languages=["en"], viewer_age=12))


# What is refused


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/recommendations/1", "the parameter `surface` is missing"),
        ("/v1/recommendations/1?surface=", "surface `` is unknown"),
        ("/v1/recommendations/1?surface=shelf", "surface `shelf` is unknown; known are home_live"),
        (f"{HOME}&limit=0", "limit 0 is out of range; ask for 1 to 100 items"),
        (f"{HOME}&limit=-1", "limit -1 is out of range"),
        (f"{HOME}&limit=10000", "limit 10000 is out of range"),
        (f"{HOME}&limit=abc", "`limit` is not a whole number"),
        (f"{HOME}&limit=", "`limit` is not a whole number"),
        (f"{HOME}&limit=5.0", "`limit` is not a whole number"),
        (f"{HOME}&limit=1_0", "`limit` is not a whole number"),
        (f"{HOME}&limit=%D9%A5", "`limit` is not a whole number"),
        (f"{HOME}&limit={'9' * 4_000}", "`limit` is not a whole number"),
        (f"{HOME}&limit=5&limit=6", "a parameter stands twice"),
        (f"{HOME}&after=5", "unknown parameter `after`; known are surface, limit"),
        (f"{HOME}&exclude=1,,2", "`exclude` is not a whole number"),
        (f"{HOME}&exclude=1,x", "`exclude` is not a whole number"),
        (f"{HOME}&exclude=9999999999999999999", "an excluded id is not a 64-bit id"),
        (f"{HOME}&exclude={','.join(['7'] * 10_000)}", "10000 excluded ids; at most 1000 are taken"),
        (f"{HOME}&viewer_age=-1", "a viewer of -1 years; 0 to 150 are taken"),
        (f"{HOME}&viewer_age=151", "a viewer of 151 years"),
        (f"{HOME}&context=5", "surface `home_clips` takes no context"),
        ("/v1/recommendations/1?surface=watch_next", "surface `watch_next` needs a context: the content"),
        ("/v1/recommendations/1?surface=watch_next&context=9223372036854775808", "is not a 64-bit id"),
        ("/v1/recommendations/abc?surface=home_clips", "`user` is not a whole number"),
        ("/v1/recommendations/1/2?surface=home_clips", "`user` is not a whole number"),
        ("/v1/recommendations/1%20?surface=home_clips", "`user` is not a whole number"),
        ("/v1/recommendations/9223372036854775808?surface=home_clips", "is not a 64-bit id"),
        (f"{HOME}&cursor=abc", "the cursor is not one that this service gave"),
        (f"{HOME}&cursor=%00%ff", "the query string is not percent-encoded UTF-8"),
        (f"{HOME}&cursor={'A' * 1_000}", "the cursor is not one that this service gave"),
        ("/v1/explain/", "a request id has 1 to 64"),
        (f"/v1/explain/{'r' * 65}", "a request id has 1 to 64"),
        ("/v1/explain/a%0Ab", "a request id has 1 to 64"),
    ],
)
def test_what_makes_no_sense_is_400_and_says_why(server: Running, path: str, message: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert message in answer.json()["message"]


@pytest.mark.parametrize("said", ["", "r 1", "r" * 65, "r/1", "ü"])
def test_a_request_id_that_could_not_be_a_path_is_400(server: Running, said: str) -> None:
    answer = server.client.get(HOME, headers={"x-request-id": said.encode()})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", HOME, "GET"),
        ("HEAD", HOME, "GET"),
        ("DELETE", "/v1/explain/r", "GET"),
        ("GET", "/v1/feedback", "POST"),
        ("PUT", "/v1/feedback", "POST"),
        ("POST", "/health", "GET"),
        ("POST", "/metrics", "GET"),
        ("POST", "/", "GET"),
    ],
)
def test_another_method_is_405_and_is_told_which_one(server: Running, method: str, path: str, allowed: str) -> None:
    answer = server.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/v1", "/v1/recommendation/1", "/v2/recommendations/1", "/v1/feedback/", "/favicon"])
def test_an_unknown_path_is_404(server: Running, path: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_slate_that_was_not_served_is_404(server: Running) -> None:
    answer = server.get("/v1/explain/nobody")
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_slate")


def test_a_query_that_is_too_long_is_414(server: Running) -> None:
    numbers = ",".join(str(10**17 + number) for number in range(2_000))
    answer = server.get(f"{HOME}&exclude={numbers}")
    assert (answer.status_code, answer.json()["error"]) == (414, "query_too_long")


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_body_that_is_too_large_is_413(server: Running, is_chunked: bool) -> None:
    most = server.worker.settings.http.max_body_bytes
    body = iter([b" " * most, b" "]) if is_chunked else b" " * (most + 1)
    answer = server.client.post("/v1/feedback", content=body)
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


# Who may ask


@pytest.mark.parametrize(
    "said",
    ["", "Bearer", "Bearer wrong", "Basic k3y-of-the-app", "k3y-of-the-app", "Bearer k3y-of-the-appX"],
)
@pytest.mark.parametrize("path", [HOME, "/v1/explain/r", "/", "/nowhere"])
def test_without_a_known_key_everything_but_the_open_paths_is_401(server: Running, said: str, path: str) -> None:
    answer = server.client.get(path, headers={"authorization": said})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].partition(" ")[0] == ("Basic" if path == "/" else "Bearer")


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json"])
def test_who_watches_the_service_needs_no_key(server: Running, path: str) -> None:
    assert server.client.get(path, headers={"authorization": ""}).status_code == 200


def test_the_scheme_is_read_in_any_case(server: Running) -> None:
    assert server.get(HOME, authorization="bearer  k3y-of-the-app").status_code == 200


@pytest.fixture
def limited(server: Running) -> Iterator[Running]:
    """Each key may ask three times a second."""
    worker = server.worker
    before = worker.callers
    worker.callers = Callers(worker.settings.http.api_keys, 3.0, 0.0)
    yield server
    worker.callers = before


def test_who_asks_too_often_is_429_and_is_told_when_to_come_back(limited: Running) -> None:
    answers = [limited.get(HOME) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    assert (refused[0].json()["error"], refused[0].headers["retry-after"]) == ("too_many_requests", "1")
    assert limited.client.get("/health").status_code == 200


# Clocks


def test_a_clock_that_steps_back_makes_no_list_younger_than_now(server: Running) -> None:
    worker = server.worker
    before = worker.now
    worker.now = lambda: NOW - timedelta(days=400)
    try:
        body = server.ask(1)
        told = server.tell({"item_id": "100", "item_kind": "clip", "action": "hide", "user_id": "1"})
        hidden = ids(server.ask(1, limit=20))
    finally:
        worker.now = before
    assert {item["list_age_seconds"] for item in body["items"]} == {0.0}
    assert body["served_at"].startswith("2024-")
    assert told.status_code == 202
    assert 100 not in hidden


# Two publishes, and one that is broken


def test_while_two_publish_at_once_every_slate_is_full_and_of_one_generation(server: Running) -> None:
    threads = [threading.Thread(target=server.publish_once) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        body = server.ask(1, limit=6)
        # A worker that both have overtaken looks for lists that are swept: for a moment it has everybody's.
        assert set(ids(body)) == {100, 101, 103, 200, 201, 202} or body["degraded"]["reasons"]
        assert len(body["items"]) == 6
    server.until(lambda: server.ask(1, limit=6)["degraded"] is None)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"\x07junk", "the list of the user cannot be read: a list of 5 bytes is shorter than its header"),
        (b"\x00" + bytes(40), "the list of the user cannot be read: list of payload version 0; this reader knows 1"),
        (b"\xff" + bytes(40), "list of payload version 255"),
    ],
)
def test_a_corrupt_list_or_one_of_another_version_is_replaced_and_said(
    server: Running, packed: bytes, reason: str
) -> None:
    generation = server.store.current_generation() or ""
    hashes = Hashes.of({redis_keys.lists(generation, "home_clips", 0): {b"2": packed}})
    server.store.write_hashes(generation, hashes, 60)
    body = server.ask(2, limit=4)
    assert (body["degraded"]["level"], len(body["items"])) == ("segment", 4)
    assert reason in body["degraded"]["reasons"][0]


def test_a_segment_or_marks_that_cannot_be_read_are_said_and_the_rest_is_served(server: Running) -> None:
    generation = server.store.current_generation() or ""
    server.store.write_hashes(generation, Hashes.of({redis_keys.segments(generation, 0): {b"1": b"\x09"}}), 60)
    with redis.Redis.from_url(server.worker.settings.redis.url) as client:
        for key in (redis_keys.seen(1), redis_keys.progress(1), redis_keys.hidden_contents(1)):
            client.set(key, b"torn", ex=60)
    for surface in ("home_clips", "continue_watching"):
        body = server.ask(1, surface)
        assert [reason.partition(":")[0] for reason in body["degraded"]["reasons"]][:4] == [
            "the user's segment cannot be read",
            "what the user has begun ends in a torn entry",
            "what the user has seen ends in a torn entry",
            "what the user has hidden ends in a torn entry",
        ]


def test_a_key_of_another_kind_costs_its_user_their_list_and_nobody_else_anything(server: Running) -> None:
    generation = server.store.current_generation() or ""
    with redis.Redis.from_url(server.worker.settings.redis.url) as client:
        client.set(redis_keys.lists(generation, "home_clips", redis_keys.bucket_of(10**6)), b"not a hash", ex=60)
    body = server.ask(10**6)
    assert body["degraded"]["unfiltered"] == ["seen", "hidden"]
    assert body["degraded"]["reasons"][0].startswith("Redis refused a command: WRONGTYPE")
    assert server.ask(1, limit=6)["degraded"] is None


# Explaining


def test_a_served_slate_is_explained_and_drawn_again(server: Running) -> None:
    body = server.get(f"{HOME}&limit=6", **{"x-request-id": "r-explained"}).json()
    server.until(lambda: server.get("/v1/explain/r-explained").status_code == 200)
    told = server.get("/v1/explain/r-explained").json()
    assert told["is_recomputed"] is True
    assert [item["id"] for item in told["items"]] == [item["id"] for item in body["items"]]
    assert [item["why"] for item in told["items"]] == [item["why"] for item in body["items"]]
    assert {"preferred", "two_tower", "popular"} >= {item["arm"] for item in told["items"]}
    assert all(0 < item["propensity"] <= 1 for item in told["items"])
    assert all(item["posterior_mean"] == pytest.approx(0.1) for item in told["items"])
    assert (told["generation"], told["policy_id"]) == (body["generation"], "thompson/2")
    assert [stage["stage"] for stage in told["stages"]][-2:] == ["scorers", "rerankers"]


@pytest.mark.parametrize(("surface", "context"), [("channel_vods", 10), ("related_streamers", 10), ("watch_next", 101)])
def test_slates_of_every_kind_of_order_are_explained(server: Running, surface: str, context: int) -> None:
    name = f"r-{surface}"
    server.get(f"/v1/recommendations/1?surface={surface}&context={context}", **{"x-request-id": name})
    server.until(lambda: server.get(f"/v1/explain/{name}").status_code == 200)
    told = server.get(f"/v1/explain/{name}").json()
    assert told["is_recomputed"] is (None if surface == "channel_vods" else True)


def test_every_slate_is_logged_once(server: Running) -> None:
    for number in range(20):
        server.get(HOME, **{"x-request-id": f"r-logged-{number}"})
    names = {f"r-logged-{number}" for number in range(20)}
    server.until(lambda: len(logged(server) & names) == 20)
    assert sum(name in names for name in all_logged(server)) == 20


def all_logged(server: Running) -> list[str]:
    entries = server.store.read_stream(STREAM_IMPRESSIONS, "0", 10_000)
    return [json.loads(entry)[1] for _, entry in entries]


def logged(server: Running) -> set[str]:
    return set(all_logged(server))


# All at once


def test_many_users_at_once_get_their_own_slates(server: Running) -> None:
    rng = np.random.default_rng(7)
    users = rng.choice([1, 2, 3, 77], 150).tolist()
    expected = {1: {100, 101, 103, 200, 201, 202}, 2: {100, 101, 103, 104}, 3: {400, 401, 402, 403}}

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            base_url=server.client.base_url, headers=server.client.headers, timeout=60
        ) as client:
            asked = (client.get(f"/v1/recommendations/{user}?surface=home_clips&limit=4") for user in users)
            return list(await asyncio.gather(*asked))

    for user, answer in zip(users, asyncio.run(run()), strict=True):
        body = answer.json()
        assert body["user_id"] == str(user)
        if user in expected:
            assert set(ids(body)) <= expected[user]


def test_every_surface_answers_everybody(server: Running) -> None:
    contexts = {Surface.WATCH_NEXT: 101, Surface.CHANNEL_VODS: 10, Surface.RELATED_STREAMERS: 10}
    for surface, user in itertools.product(Surface, (1, 2, 3, 77, -(2**63), None)):
        body = server.ask(user, surface, context=contexts.get(surface))
        assert body["degraded"] is not None or body["items"]


def test_who_waits_for_the_start_is_told_when_the_worker_can_answer(tmp_path: Path, redis_url: str) -> None:
    events: list[str] = []

    async def live() -> None:
        worker = Worker(edge_settings(tmp_path, redis_url), None)
        asked = iter(("startup", "shutdown"))

        async def receive() -> MutableMapping[str, Any]:
            return {"type": f"lifespan.{next(asked)}"}

        async def send(message: MutableMapping[str, Any]) -> None:
            events.append(message["type"])

        edge = Edge(worker, lambda: events.append(f"told while Redis is {'up' if worker.redis.is_up else 'away'}"))
        await edge({"type": "lifespan"}, receive, send)

    asyncio.run(live())
    assert events == ["told while Redis is up", "lifespan.startup.complete", "lifespan.shutdown.complete"]
