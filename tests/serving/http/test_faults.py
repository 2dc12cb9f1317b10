"""The edge while its Redis is slow, dies, comes back, or comes back without its memory."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import Settings
from tests.redis_server import free_port, running_redis
from tests.serving.builders import small_platform
from tests.serving.http.running import KEY, Running, running_server, settings_of
from tests.slow_proxy import SlowProxy, slow_proxy

OWN, EVERYBODY = {100, 101, 103, 200, 201, 202}, {500, 501, 502, 503, 504, 505}
HOME = "/v1/recommendations/1?surface=home_clips&limit=5"


class Place:
    """A Redis of a test's own, that goes and comes back at one address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._running = ExitStack()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._running.enter_context(running_redis(self.folder, self.port))

    def stop(self) -> None:
        self._running.close()

    def client(self) -> "redis.Redis[bytes]":
        return redis.Redis.from_url(self.url)


@contextmanager
def served(home: Path, place: Place, **more: Any) -> Iterator[Running]:  # noqa: ANN401
    small_platform(home)
    with running_server(settings_of(home, place.url, **more)) as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    place.start()
    yield place
    place.stop()


@pytest.fixture
def server(place: Place, tmp_path: Path) -> Iterator[Running]:
    with served(tmp_path, place) as server:
        server.publish()
        yield server


def ids(body: dict[str, Any]) -> set[int]:
    return {int(item["id"]) for item in body["items"]}


def logged(place: Place) -> list[str]:
    with place.client() as client:
        return [json.loads(fields[b"e"])[1] for _, fields in client.xrange(STREAM_IMPRESSIONS)]


def is_own(server: Running) -> Callable[[], bool]:
    def whole() -> bool:
        body = server.ask(1, limit=5)
        return body["degraded"] is None and ids(body) <= OWN

    return whole


def test_without_redis_everybodys_list_is_served_and_says_what_is_not_filtered(place: Place, server: Running) -> None:
    assert is_own(server)()
    place.stop()
    bodies = [server.ask(1, limit=5) for _ in range(20)]
    for body in bodies:
        assert (body["degraded"]["level"], body["degraded"]["unfiltered"]) == ("popular", ["seen", "hidden"])
        assert ids(body) <= EVERYBODY
        assert len(body["items"]) == 5
    assert body["degraded"]["reasons"][0].startswith("Redis did not answer (")
    assert server.ask(None, limit=5)["degraded"]["unfiltered"] == []
    told = server.tell({"item_id": "100", "item_kind": "clip", "action": "hide", "user_id": "1"})
    assert (told.status_code, told.json()["error"], told.headers["retry-after"]) == (503, "store_unavailable", "1")
    explained = server.get("/v1/explain/r")
    assert (explained.status_code, explained.json()["error"]) == (503, "store_unavailable")
    ready = server.get("/ready")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert server.get("/health").status_code == 200
    assert "streamrec_store_up 0.0" in server.get("/metrics").text
    place.start()
    server.publish()
    server.until(is_own(server))
    assert server.get("/ready").status_code == 200


def test_impressions_of_the_time_without_redis_are_sent_when_it_is_back(place: Place, server: Running) -> None:
    place.stop()
    names = [f"r-away-{number}" for number in range(30)]
    for name in names:
        assert server.get(HOME, **{"x-request-id": name}).status_code == 200
    assert len(server.worker.outbox) == 30
    place.start()
    server.until(lambda: set(names) <= set(logged(place)))
    server.until(lambda: len(server.worker.outbox) == 0)
    assert (server.worker.outbox.lost, sorted(logged(place))) == (0, sorted(names))


def test_while_redis_is_killed_in_the_middle_of_traffic_every_request_is_answered(
    place: Place, server: Running
) -> None:
    statuses = []
    for number in range(120):
        if number == 40:
            place.stop()
        if number == 80:
            place.start()
        statuses.append(server.get(HOME).status_code)
    assert set(statuses) == {200}


def test_a_redis_that_lost_its_memory_in_the_middle_of_traffic_is_said_until_the_next_publish(
    place: Place, server: Running
) -> None:
    before = server.ask(1, limit=5)["generation"]
    place.stop()
    place.start()
    server.until(lambda: server.worker.redis.is_up)
    server.until(lambda: "Redis has lost the published lists" in server.ask(1, limit=5)["degraded"]["reasons"])
    body = server.ask(1, limit=5)
    assert (body["generation"], body["degraded"]["level"]) == (before, "popular")
    assert ids(body) <= EVERYBODY
    # What can be asked was asked: there is nothing that this user has seen or hidden.
    assert body["degraded"]["unfiltered"] == []
    ready = server.get("/ready")
    assert (ready.status_code, ready.json()["store"]) == (503, "Redis has lost the published lists")
    after = server.publish()
    server.until(is_own(server))
    assert server.ask(1, limit=5)["generation"] == after


def test_before_the_first_publish_it_is_503_and_says_what_to_do(place: Place, tmp_path: Path) -> None:
    with served(tmp_path, place) as server:
        answer = server.get(HOME)
        assert (answer.status_code, answer.json()["error"]) == (503, "nothing_published")
        assert "python -m serving publish" in answer.json()["message"]
        assert answer.headers["retry-after"] == "5"
        assert server.get("/ready").status_code == 503
        server.publish()
        assert is_own(server)()


def test_a_worker_comes_up_without_redis_and_serves_once_it_is_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        with served(tmp_path, place, start_seconds=0.2) as server:
            assert server.get("/health").status_code == 200
            assert server.get(HOME).json()["error"] == "nothing_published"
            place.start()
            server.until(lambda: server.worker.redis.is_up)
            server.publish()
            server.until(is_own(server))
    finally:
        place.stop()


@pytest.fixture
def slowed(place: Place, tmp_path: Path) -> Iterator[tuple[SlowProxy, Running]]:
    """An edge whose Redis may be told to answer late, with the limit that is the default."""
    small_platform(tmp_path)
    with slow_proxy(place.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        with running_server(settings_of(tmp_path, url, timeout_ms=Settings().redis.timeout_ms)) as server:
            server.publish()
            server.until(is_own(server))
            yield proxy, server


def test_a_slow_redis_costs_a_request_no_more_than_the_limit(slowed: tuple[SlowProxy, Running]) -> None:
    proxy, server = slowed
    proxy.delay_seconds = 1.0
    for _ in range(5):
        started = time.monotonic()
        body = server.ask(1, limit=5)
        assert time.monotonic() - started < 0.5
        assert (body["degraded"]["unfiltered"], len(body["items"])) == (["seen", "hidden"], 5)
        assert ids(body) <= EVERYBODY
    proxy.delay_seconds = 0.0
    server.until(is_own(server))


def test_a_redis_that_stands_still_costs_no_more_either(place: Place, slowed: tuple[SlowProxy, Running]) -> None:
    _, server = slowed
    with place.client() as client:
        client.execute_command("CLIENT", "PAUSE", 1_000, "ALL")
    for _ in range(5):
        started = time.monotonic()
        body = server.ask(1, limit=5)
        assert time.monotonic() - started < 0.5
        assert body["degraded"]["unfiltered"] == ["seen", "hidden"]
    server.until(is_own(server))


def test_a_redis_that_is_out_of_memory_still_reads_and_says_that_it_cannot_write(place: Place, server: Running) -> None:
    with place.client() as client:
        client.config_set("maxmemory", 1)
        server.until(lambda: server.ask(1, limit=5)["degraded"] is None)
        told = server.tell({"item_id": "100", "item_kind": "clip", "action": "hide", "user_id": "1"})
        assert (told.status_code, "OOM" in told.json()["message"]) == (503, True)
        client.config_set("maxmemory", 0)
    server.until(lambda: len(server.worker.outbox) == 0)
    assert server.tell({"item_id": "100", "item_kind": "clip", "action": "hide", "user_id": "1"}).status_code == 202
    assert 100 not in ids(server.ask(1, limit=20))


def test_what_does_not_fit_the_queue_is_dropped_oldest_first_and_counted(place: Place, tmp_path: Path) -> None:
    with served(tmp_path, place, impressions_waiting=10) as server:
        server.publish()
        place.stop()
        for number in range(25):
            server.get(HOME, **{"x-request-id": f"r-full-{number}"})
        assert (len(server.worker.outbox), server.worker.outbox.lost) == (10, 15)
        assert 'streamrec_impressions_total{fate="lost"} 15.0' in server.get("/metrics").text
        place.start()
        server.until(lambda: len(logged(place)) == 10)
        assert set(logged(place)) == {f"r-full-{number}" for number in range(15, 25)}


def test_what_waits_is_sent_when_the_server_stops(place: Place, tmp_path: Path) -> None:
    with served(tmp_path, place, flush_ms=60_000) as server:
        server.publish()
        for number in range(5):
            server.get(HOME, **{"x-request-id": f"r-last-{number}"})
        assert logged(place) == []
    assert sorted(logged(place)) == [f"r-last-{number}" for number in range(5)]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v1/recommendations/1?surface=home_clips HTTP/1.1\r\nhost: h\r\nauthorization: Bearer %b\r\n\r\n",
        b"POST /v1/feedback HTTP/1.1\r\nhost: h\r\nauthorization: Bearer %b\r\ncontent-length: 900\r\n\r\n{",
        b"GET /v1/recommendations/\xff\xfe?surface=home_clips HTTP/1.1\r\nhost: h\r\nx: %b\r\n\r\n",
        b"no http at all %b\r\n\r\n",
    ],
    ids=["leaves before the answer", "half a body", "bytes that are no text", "no request"],
)
def test_who_says_half_or_goes_away_without_listening_disturbs_nobody(server: Running, sent: bytes) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.client.base_url.port)) as connection:
            connection.sendall(sent % KEY.encode())
    assert server.ask(1, limit=5)["degraded"] is None
