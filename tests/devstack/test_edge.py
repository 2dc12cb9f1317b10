"""The edge with its Redis and consumers, as one command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from contracts.names import STREAM_LIVE
from devstack.service import LOCALHOST, free_port, port_open
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.serving.builders import DAY, NOW, small_platform
from tests.serving.http.edges import edge_settings

pytestmark = pytest.mark.slow
_SECONDS = 60.0


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    process: "subprocess.Popen[str]"
    redis_port: int
    port: int

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://{LOCALHOST}:{self.port}{path}")


def environment(home: Path, redis_port: int) -> dict[str, str]:
    url = f"redis://{LOCALHOST}:{redis_port}/0"
    return {
        **os.environ,
        "STREAMREC_HOME": str(home),
        "STREAMREC_REDIS__URL": url,
        "STREAMREC_REDIS__TIMEOUT_MS": "5000",
    }


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    small_platform(tmp_path)
    redis_port, port = free_port(), free_port()
    command = [sys.executable, "-m", "devstack", "edge", "--port", str(port)]
    process = subprocess.Popen(command, env=environment(tmp_path, redis_port), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        assert any(f"edge: http://{LOCALHOST}:{port}/" in line for line in said)
        yield Stack(process, redis_port, port)
    finally:
        process.terminate()
        process.wait(60)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_slates_live_events_and_the_page_are_there_until_it_is_stopped(stack: Stack, tmp_path: Path) -> None:
    assert stack.get("/v1/recommendations/1?surface=home_clips").json()["error"] == "nothing_published"
    settings = edge_settings(tmp_path, f"redis://{LOCALHOST}:{stack.redis_port}/0")
    store = RedisStore.open(settings.redis.url, 10_000)
    publish(small_platform(tmp_path), store, settings.serving, DAY, NOW)
    until(lambda: stack.get("/v1/recommendations/1?surface=home_clips").status_code == 200)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"version": 1, "type": "go_live", "streamer_id": 12, "broadcast_id": 900, "event_time": at}
    with redis.Redis(port=stack.redis_port) as client:
        client.xadd(STREAM_LIVE, {"e": json.dumps(event)})
    until(lambda: "900" in stack.get("/v1/recommendations/1?surface=home_live").text)
    assert "12" in stack.get("/?user=1&surface=home_live").text
    stack.process.send_signal(signal.SIGTERM)
    stack.process.wait(60)
    assert not port_open(stack.port)
    assert not port_open(stack.redis_port)


def test_a_port_that_is_taken_is_named(tmp_path: Path, redis_url: str) -> None:
    taken = redis_url.rpartition(":")[2].partition("/")[0]
    command = [sys.executable, "-m", "devstack", "edge", "--port", taken]
    done = subprocess.run(command, env=environment(tmp_path, free_port()), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"port {taken} is taken" in done.stderr
