"""How soon a worker can recommend what was just published, and what the fresh lane costs a request.

    python -m benchmarks.fresh [--contents 5000] [--rate 20] [--probes 200]

A private server; the consumer is a process of its own that embeds with the exported item tower of a two-tower model
(64 dimensions, tables of `--known` contents, weights as they were drawn: what they are costs nothing); the worker's
mirror stands in this process with connections of its own. A producer publishes `--rate` contents a second, and between
them single contents are sent whose way into the worker's index is timed (from XADD, by the one clock of this machine,
polled every 0.5 ms). Prints one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from contracts.content_events import ContentPublished
from contracts.names import STREAM_CONTENT
from contracts.packed_vector import pack_vectors
from contracts.settings import Settings
from contracts.unpacking import NO_IDS
from models.two_tower.config import ModelConfig
from models.two_tower.export import export_items
from models.two_tower.storage import StoredModel
from models.two_tower.towers import TwoTower
from models.two_tower.vocabulary import Vocabularies, Vocabulary
from serving.fresh.batch import Batch
from serving.fresh.consumer import FreshConsumer
from serving.fresh.lane import fresh_candidates
from serving.fresh.program import ItemProgram
from serving.mirrors.fresh import FreshMirror
from serving.mirrors.thread import MirrorThread
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis

_VERSION: Final = "1"
_DIM: Final = 64
_USERS, _STREAMERS, _CATEGORIES = 1_000, 10_000, 50
_FIRST_PROBE: Final = 10_000_000
_PATIENCE_SECONDS: Final = 60.0
_STREAM_LENGTH: Final = 1_000_000
_TIMEOUT_MS: Final = 10_000
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Load:
    """What the producer sends."""

    rate: int
    first: int


def register(folder: Path, known: int) -> None:
    """The files that a registered model has for its item tower."""
    torch.manual_seed(0)
    categories = Vocabulary(np.array([f"category {number}" for number in range(_CATEGORIES)]))
    users, contents, streamers = (Vocabulary(np.arange(count)) for count in (_USERS, known, _STREAMERS))
    vocabularies = Vocabularies(users, contents, streamers, categories)
    stored = StoredModel(TwoTower(ModelConfig(vocabularies.sizes, _DIM, 0.9, 0.1)).eval(), vocabularies, 10)
    stored.save(folder)
    export_items(stored, folder)


def consume(url: str, folder: Path, stop: Event) -> None:
    """What `python -m serving embed_fresh` does, the registry apart."""
    settings, store = Settings(), RedisStore.open(url, _TIMEOUT_MS)
    consumer = FreshConsumer(store, lambda _version: ItemProgram.load(folder, _VERSION), settings, time.time)
    while not stop.is_set():
        consumer.step(settings.fresh.block_ms)


def produce(url: str, load: Load, stop: Event) -> None:
    """Contents one after another."""
    store, content = RedisStore.open(url, _TIMEOUT_MS), load.first
    while not stop.wait(1 / load.rate):
        _publish(store, content)
        content += 1


def _publish(store: RedisStore, content: int) -> None:
    now = datetime.now(UTC)
    event = ContentPublished(
        event_time=now,
        content_id=content,
        content_kind="clip",
        streamer_id=content % _STREAMERS,
        title=f"title {content}",
        category=f"category {content % _CATEGORIES}",
        published_at=now,
    )
    store.append(STREAM_CONTENT, event.to_json(), _STREAM_LENGTH)


@contextmanager
def beside(*processes: Any) -> Iterator[None]:  # noqa: ANN401  of multiprocessing
    """Run processes, the last argument of each an event that ends it."""
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.join(_PATIENCE_SECONDS)


def timed(store: RedisStore, mirror: FreshMirror, content: int) -> float:
    """Seconds from a content's event until the worker's index has it."""
    began = time.monotonic()
    _publish(store, content)
    _await(mirror, content, began)
    return time.monotonic() - began


def _await(mirror: FreshMirror, content: int, began: float) -> None:
    wanted = np.array([content], np.int64)
    while mirror.index.rows(wanted)[0] < 0:
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise SystemExit(f"content {content} did not reach the worker")
        time.sleep(0.0005)


def measure(url: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures of one run."""
    settings, store, stop = Settings(), RedisStore.open(url, _TIMEOUT_MS), _SPAWN.Event()
    mirror = FreshMirror(RedisStore.open(url, settings.mirrors.timeout_ms), settings, time.monotonic)
    worker = MirrorThread(mirror, settings.mirrors, time.monotonic)
    worker.start()
    consumer = _SPAWN.Process(target=consume, args=(url, folder, stop), daemon=True)
    producer = _SPAWN.Process(target=produce, args=(url, Load(arguments.rate, arguments.contents), stop), daemon=True)
    began = time.monotonic()
    with beside(consumer):
        try:
            start = timed(store, mirror, 0)
            filled = time.monotonic()
            for content in range(1, arguments.contents):
                _publish(store, content)
            _await(mirror, arguments.contents - 1, filled)
            filled = time.monotonic() - filled
            with beside(producer):
                waits = [_spaced(store, mirror, _FIRST_PROBE + probe) for probe in range(arguments.probes)]
                stop.set()
        finally:
            stop.set()
    worker.stop()
    worker.join(_PATIENCE_SECONDS)
    return {
        "contents": arguments.contents,
        "known_to_the_model": arguments.known,
        "published_per_second": arguments.rate,
        "probes": len(waits),
        "milliseconds_to_worker": {
            name: round(1_000 * float(np.quantile(waits, share)), 1)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
        },
        "first_event_after_a_start_seconds": round(start, 2),
        "backlog_contents_per_second": round(arguments.contents / filled),
        "microseconds_of_a_request": _request_cost(mirror),
        "seconds": round(time.monotonic() - began, 1),
        "problems": [mirror.index.problem] if mirror.index.problem else [],
    }


def _spaced(store: RedisStore, mirror: FreshMirror, content: int) -> float:
    """A probe, at no fixed beat of the consumer's pauses."""
    time.sleep(0.003 * (content % 17))
    return timed(store, mirror, content)


def _request_cost(mirror: FreshMirror) -> float:
    """Microseconds in which the lane offers a user with a vector its best, median of rounds."""
    vector = np.random.default_rng(0).normal(size=_DIM).astype(np.float32)
    (packed,) = pack_vectors((vector / np.linalg.norm(vector))[None]).tolist()
    batch = Batch(model_version=_VERSION, dim=_DIM)
    count, index, at = Settings().fresh.candidates, mirror.index, time.time()
    if fresh_candidates(index, packed, batch, NO_IDS, count, at).problem:
        raise SystemExit("the lane does not know the user's vector")
    rounds = timeit.repeat(lambda: fresh_candidates(index, packed, batch, NO_IDS, count, at), number=200, repeat=9)
    return round(float(np.median(rounds)) / 200 * 1e6, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contents", type=int, default=5_000)
    parser.add_argument("--known", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--probes", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        tower = Path(folder) / "tower"
        tower.mkdir()
        register(tower, arguments.known)
        result = {
            "command": " ".join(["python -m benchmarks.fresh", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": {"cores": len(os.sched_getaffinity(0)), "python": sys.version.split()[0]},
            **measure(url, tower, arguments),
        }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
