"""A consumer that is killed again and again leaves what one that never was would have left."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from contracts import redis_keys
from contracts.events import StreamEvent
from contracts.live_events import EndLive, GoLive, Heartbeat
from contracts.names import STREAM_LIVE
from contracts.settings import LiveSettings
from serving.events.consumer import Consumer, ConsumerStore
from serving.events.live import live_topic
from serving.stores.leases import LeaseTerms
from serving.stores.memory import MemoryStore
from serving.stores.redis_store import RedisStore

BEGIN = datetime(2026, 1, 30, 20, tzinfo=UTC)
KILLS = 5
ENVIRONMENT = {"STREAMREC_LIVE__BATCH_EVENTS": "4", "STREAMREC_SERVING__LEASE_SECONDS": "600"}


def any_events(seed: int, count: int) -> list[StreamEvent]:
    draw = random.Random(seed)
    events: list[StreamEvent] = []
    for number in range(count):
        streamer, at = draw.randrange(200), BEGIN + timedelta(seconds=number)
        broadcast = streamer * 100 + number // 1_000
        kind = draw.choice([GoLive, Heartbeat, Heartbeat, EndLive])
        said = {} if kind is EndLive else {"title": f"{number}"}
        events.append(kind(streamer_id=streamer, broadcast_id=broadcast, event_time=at, **said))
    return events


def shown(store: MemoryStore | RedisStore) -> dict[int, tuple[int, str | None]]:
    return {streamer: (lease.broadcast_id, lease.details.title) for streamer, lease in store.all_leases().items()}


def killed_after_progress(url: str, store: RedisStore) -> bool:
    """Start a consumer and kill it once it has moved; false where there was nothing left to do."""
    before = store.position(redis_keys.LIVE_POSITION)
    command = [sys.executable, "-m", "serving", "consume_live"]
    with subprocess.Popen(command, env={**os.environ, **ENVIRONMENT, "STREAMREC_REDIS__URL": url}) as process:
        try:
            deadline = time.monotonic() + 60
            while store.position(redis_keys.LIVE_POSITION) == before and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        finally:
            process.kill()
    return store.position(redis_keys.LIVE_POSITION) != store.last_position(STREAM_LIVE)


@pytest.mark.slow
def test_kills_lose_and_double_nothing(redis_url: str) -> None:
    events = any_events(7, 12_000)
    store, memory = RedisStore.open(redis_url, 10_000), MemoryStore(time.monotonic)
    terms = LeaseTerms(600.0, 3_600.0, 10_000)
    for event in events:
        store.append(STREAM_LIVE, event.to_json(), 100_000)
        memory.append(STREAM_LIVE, event.to_json(), 100_000)
    assert all(killed_after_progress(redis_url, store) for _ in range(KILLS))
    for backend in (store, memory):
        both: ConsumerStore = backend
        Consumer(both, live_topic(backend, terms), LiveSettings()).catch_up()
    assert shown(store) == shown(memory)
    assert len(shown(store)) > 20
