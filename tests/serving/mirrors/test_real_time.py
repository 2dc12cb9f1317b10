"""A worker's mirrors in real time on a real server: how soon news are there, and what a server that dies leaves."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from contracts.content_events import ContentTakenDown
from contracts.live_events import EndLive, GoLive, Heartbeat
from contracts.names import STREAM_CONTENT, STREAM_LIVE
from contracts.settings import LiveSettings, MirrorSettings
from serving.events.consumer import Consumer
from serving.events.content import content_topic
from serving.events.live import live_topic
from serving.mirrors.live import LiveMirror
from serving.mirrors.removed import RemovedMirror
from serving.mirrors.thread import Mirrors
from serving.stores.leases import LeaseTerms, Renewal
from serving.stores.redis_store import RedisStore
from tests.redis_server import free_port, running_redis

PATIENCE_SECONDS = 20.0
MIRROR_SETTINGS = MirrorSettings(block_ms=200, timeout_ms=1_000, max_backoff_ms=200)


def until(is_so: Callable[[], bool]) -> float:
    """Seconds until something is so."""
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise TimeoutError("it did not come to be")
        time.sleep(0.001)
    return time.monotonic() - started


class Worker:
    """Mirrors as a worker holds them."""

    def __init__(self, url: str) -> None:
        live, removed = RedisStore.open(url, 1_000), RedisStore.open(url, 1_000)
        self.live = LiveMirror(live, MIRROR_SETTINGS, time.monotonic)
        self.removed = RemovedMirror(removed, MIRROR_SETTINGS, time.monotonic, 3_600.0)
        self.mirrors = Mirrors([self.live, self.removed], MIRROR_SETTINGS, time.monotonic)

    def is_live(self, streamer: int) -> bool:
        return bool(self.live.lookup(np.array([streamer], np.int64)).rows[0] >= 0)

    def is_removed(self, content: int) -> bool:
        return bool(self.removed.table.removed(np.array([content], np.int64))[0])


@contextmanager
def working(url: str, lease_seconds: float = 90.0) -> Iterator[Worker]:
    """Both consumers and a worker."""
    store, stop = RedisStore.open(url, 10_000), threading.Event()
    settings = LiveSettings(block_ms=200, retry_seconds=0.05)
    topics = live_topic(store, LeaseTerms(lease_seconds, 3_600.0, 1_000)), content_topic(store, settings)
    runs = [Consumer(store, topic, settings).run for topic in topics]  # type: ignore[arg-type]
    threads = [threading.Thread(target=run, args=[stop], daemon=True) for run in runs]
    worker = Worker(url)
    worker.mirrors.start()
    for thread in threads:
        thread.start()
    try:
        assert worker.mirrors.wait_until_loaded(PATIENCE_SECONDS)
        yield worker
    finally:
        stop.set()
        worker.mirrors.stop(PATIENCE_SECONDS)
        for thread in threads:
            thread.join(PATIENCE_SECONDS)


def go_live(streamer: int) -> bytes:
    return GoLive(streamer_id=streamer, broadcast_id=streamer + 1_000, event_time=datetime.now(UTC)).to_json()


def heartbeat(streamer: int) -> bytes:
    return Heartbeat(streamer_id=streamer, broadcast_id=streamer + 1_000, event_time=datetime.now(UTC)).to_json()


def end(streamer: int) -> bytes:
    return EndLive(streamer_id=streamer, broadcast_id=streamer + 1_000, event_time=datetime.now(UTC)).to_json()


def test_who_goes_live_or_ends_and_what_is_taken_down_is_known_within_seconds(redis_url: str) -> None:
    producer = RedisStore.open(redis_url, 10_000)
    seconds = []
    with working(redis_url) as worker:
        for streamer in range(50):
            producer.append(STREAM_LIVE, go_live(streamer), 10_000)
            seconds.append(until(lambda: worker.is_live(streamer)))  # noqa: B023  called at once
        producer.append(STREAM_LIVE, end(7), 10_000)
        seconds.append(until(lambda: not worker.is_live(7)))
        takedown = ContentTakenDown(content_id=5, event_time=datetime.now(UTC)).to_json()
        producer.append(STREAM_CONTENT, takedown, 10_000)
        seconds.append(until(lambda: worker.is_removed(5)))
    assert float(np.quantile(seconds, 0.99)) <= 5.0


@pytest.mark.slow
def test_with_redis_away_leases_end_by_their_time_and_come_back_with_it(tmp_path: Path) -> None:
    port = free_port()
    with running_redis(tmp_path, port) as server:
        url = f"{server}/0"
        stack = working(url, lease_seconds=3.0)
        worker = stack.__enter__()
        RedisStore.open(url, 1_000).append(STREAM_LIVE, go_live(1), 1_000)
        RedisStore.open(url, 1_000).append(
            STREAM_CONTENT, ContentTakenDown(content_id=5, event_time=datetime.now(UTC)).to_json(), 1_000
        )
        until(lambda: worker.is_live(1) and worker.is_removed(5))
        assert worker.live.table.problem == ""
    until(lambda: "live broadcasts are as last known: Redis did not answer" in worker.live.table.problem)
    assert worker.is_live(1)
    until(lambda: not worker.is_live(1))
    assert worker.is_removed(5)
    assert all(state.last_error and state.age_seconds > 0 for state in worker.mirrors.states())
    with running_redis(tmp_path, port):
        # The server has forgotten everything, the positions of its readers, too.
        RedisStore.open(url, 1_000).append(STREAM_LIVE, heartbeat(1), 1_000)
        until(lambda: worker.is_live(1))
        assert worker.live.table.problem == ""
        assert worker.is_removed(5)
        stack.__exit__(None, None, None)


@pytest.mark.slow
def test_a_short_outage_takes_nobody_off_the_air(tmp_path: Path) -> None:
    port = free_port()
    with running_redis(tmp_path, port) as server:
        url = f"{server}/0"
        store = RedisStore.open(url, 1_000)
        store.apply_live([Renewal(1, 1_001, 1.0, 1.0), Renewal(2, 1_002, 1.0, 1.0)], LeaseTerms(60.0, 60.0, 100))
        worker = Worker(url)
        worker.mirrors.start()
        until(lambda: worker.is_live(1) and worker.is_live(2))
    until(lambda: worker.live.table.problem != "")
    with running_redis(tmp_path, port):
        RedisStore.open(url, 1_000).apply_live([Renewal(2, 1_002, 1.0, 2.0)], LeaseTerms(60.0, 60.0, 100))
        until(lambda: worker.live.table.problem == "")
        assert worker.is_live(1)
        assert worker.is_live(2)
        worker.mirrors.stop(PATIENCE_SECONDS)
