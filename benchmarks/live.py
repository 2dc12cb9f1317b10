"""How soon a worker knows who went live, and what leases and mirrors cost, with many broadcasts on.

    python -m benchmarks.live [--live 20000] [--rate 2000] [--seconds 20]

A private server, the consumer and a worker's mirrors in processes of their own; a producer sends heartbeats of
`--live` broadcasts at `--rate` a second and, among them, 20 go-lives, ends and takedowns a second whose way to the
worker's table is timed (by the one clock of this machine, polled every 0.5 ms). Prints one JSON object.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import numpy as np
import redis

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
from serving.stores.leases import LeaseTerms
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis

_TERMS: Final = LeaseTerms(90.0, 3_600.0, 10_000)
_FIRST_PROBE: Final = 10_000_000
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Load:
    """What the producer sends."""

    live: int
    rate: int
    seconds: float


def consume(url: str, stop: Event) -> None:
    """Both consumers, as two processes would."""
    store, settings = RedisStore.open(url, 10_000), LiveSettings()
    content = Consumer(store, content_topic(store, settings), settings)
    threading.Thread(target=content.run, args=[stop], daemon=True).start()
    live_store = RedisStore.open(url, 10_000)
    Consumer(live_store, live_topic(live_store, _TERMS), settings).run(stop)  # type: ignore[arg-type]


def produce(url: str, load: Load, stop: Event) -> None:
    """Heartbeats of everybody in turn, a tenth of a second's worth at a time."""
    client = redis.Redis.from_url(url)
    streamer, start = 0, time.monotonic()
    for batch in range(round(load.seconds * 10)):
        if stop.is_set():
            return
        time.sleep(max(0.0, start + batch / 10 - time.monotonic()))
        pipeline = client.pipeline(transaction=False)
        for _ in range(load.rate // 10):
            streamer = (streamer + 1) % load.live
            event = Heartbeat(streamer_id=streamer, broadcast_id=streamer, event_time=datetime.now(UTC))
            pipeline.xadd(STREAM_LIVE, {"e": event.to_json()}, maxlen=1_000_000, approximate=True)
        pipeline.execute()


class Worker:
    """The mirrors and the probes whose way to them is timed."""

    def __init__(self, url: str) -> None:
        settings = MirrorSettings()
        self.live = LiveMirror(RedisStore.open(url, settings.timeout_ms), settings, time.monotonic)
        self.removed = RemovedMirror(RedisStore.open(url, settings.timeout_ms), settings, time.monotonic, 3_600.0)
        self.mirrors = Mirrors([self.live, self.removed], settings, time.monotonic)
        self._producer = RedisStore.open(url, 10_000)

    def probe(self, number: int) -> tuple[float, float, float]:
        """Seconds from event to table of a go-live, its end and a takedown."""
        streamer, at = _FIRST_PROBE + number, datetime.now(UTC)
        ids: dict[str, Any] = {"streamer_id": streamer, "broadcast_id": streamer, "event_time": at}
        wanted = np.array([streamer], np.int64)
        begun = self._timed(
            STREAM_LIVE, GoLive(**ids, title="t").to_json(), lambda: self.live.lookup(wanted).rows[0] >= 0
        )
        ended = self._timed(STREAM_LIVE, EndLive(**ids).to_json(), lambda: self.live.lookup(wanted).rows[0] < 0)
        takedown = ContentTakenDown(content_id=streamer, event_time=at).to_json()
        gone = self._timed(STREAM_CONTENT, takedown, lambda: bool(self.removed.table.removed(wanted)[0]))
        return begun, ended, gone

    def _timed(self, stream: str, body: bytes, is_known: Callable[[], bool]) -> float:
        started = time.monotonic()
        self._producer.append(stream, body, 1_000_000)
        while not is_known():
            if time.monotonic() - started > _PATIENCE_SECONDS:
                raise TimeoutError(f"{body!r} did not reach the worker")
            time.sleep(0.0005)
        return time.monotonic() - started


def measure(url: str, load: Load) -> dict[str, Any]:
    """All figures of one run."""
    store, worker = RedisStore.open(url, 10_000), Worker(url)
    filled = _seconds(lambda: _fill(store, load.live))
    loaded = _seconds(worker.live.refresh)
    worker.mirrors.start()
    before = time.process_time()
    waits = _probed_under_load(url, load, worker)
    ways = ("go_live", "end", "takedown")
    return {
        "live": load.live,
        "heartbeats_per_second": load.rate,
        "first_go_lives_per_second": round(load.live / filled),
        "worker_loads_everything_ms": round(1_000 * loaded, 1),
        "worker_cpu_share_probes_included": round((time.process_time() - before) / load.seconds, 3),
        "milliseconds_to_worker": {
            way: _quantiles(column) for way, column in zip(ways, zip(*waits, strict=True), strict=True)
        },
        "probes": len(waits),
        "lookup_of_100_microseconds": _lookup(worker.live, load.live),
        "unread_entries": _lag(url),
        "script": _script(url),
        "redis_bytes_per_lease": _bytes(url, load.live),
        "problems": [state.last_error for state in worker.mirrors.states() if state.last_error],
    }


def _probed_under_load(url: str, load: Load, worker: Worker) -> list[tuple[float, float, float]]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    processes = [
        context.Process(target=consume, args=(url, stop), daemon=True),
        context.Process(target=produce, args=(url, load, stop), daemon=True),
    ]
    for process in processes:
        process.start()
    waits = _probe(worker, load.seconds)
    stop.set()
    for process in processes:
        process.join(10)
    return waits


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _fill(store: RedisStore, live: int) -> None:
    for start in range(0, live, 200):
        _go_live(store, range(start, min(start + 200, live)))


def _go_live(store: RedisStore, streamers: range) -> None:
    topic = live_topic(store, _TERMS)
    at = datetime.now(UTC)
    for streamer in streamers:
        event = GoLive(
            streamer_id=streamer, broadcast_id=streamer, event_time=at, title=f"title {streamer}", category="game"
        )
        store.append(topic.stream, event.to_json(), 1_000_000)
    Consumer(store, topic, LiveSettings()).catch_up()  # type: ignore[arg-type]


def _probe(worker: Worker, seconds: float) -> list[tuple[float, float, float]]:
    waits, end = [], time.monotonic() + seconds
    time.sleep(2)  # until the other processes have come up
    while time.monotonic() < end:
        waits.append(worker.probe(len(waits)))
        time.sleep(0.02)
    return waits


def _quantiles(seconds: tuple[float, ...]) -> dict[str, float]:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(1_000 * float(np.quantile(seconds, share)), 1) for name, share in shares.items()}


def _lookup(mirror: LiveMirror, live: int) -> float:
    wanted = np.random.default_rng(0).integers(0, 2 * live, 100)
    return round(min(timeit.repeat(lambda: mirror.lookup(wanted), number=2_000, repeat=5)) / 2_000 * 1e6, 1)


def _lag(url: str) -> int:
    store = RedisStore.open(url, 10_000)
    topic = live_topic(store, _TERMS)
    return len(store.follow(topic.stream, store.position(topic.position_key), 1_000_000, 0))


def _script(url: str) -> dict[str, float]:
    """What EVALSHA took of the server, all scripts together."""
    with redis.Redis.from_url(url) as client:
        stats: Any = client.info("commandstats")
    evalsha = stats["cmdstat_evalsha"]
    return {"calls": evalsha["calls"], "mean_microseconds": evalsha["usec_per_call"]}


def _bytes(url: str, live: int) -> int:
    with redis.Redis.from_url(url) as client:
        sizes: list[Any] = [client.memory_usage(key, samples=0) for key in ("sr:{live}:lease", "sr:{live}:expiry")]
    return round(sum(sizes) / live)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        result = measure(f"{url}/0", Load(asked.live, asked.rate, asked.seconds))
    sys.stdout.write(f"{json.dumps(result, indent=1)}\n")


if __name__ == "__main__":
    main()
