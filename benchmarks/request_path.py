"""Where a request's time goes inside a worker: medians of each part and each stage, in microseconds of one thread.

    python -m benchmarks.request_path [--users 5000] [--requests 4000] [--surface home_clips]

The platform of `benchmarks.serving`, in a private Redis. What a request reads is read beforehand: nothing waits, and no
server, socket or event loop is in the figures, which `benchmarks.serving` measures. Users come in random order, so that
lists and marks are met cold. The first round warms up and is not counted. Prints one JSON object.
"""

import argparse
import json
import os
import platform
import secrets
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import redis

from benchmarks.serving import platform_of
from contracts.settings import RedisSettings, Settings
from contracts.snapshots import Warehouse
from serving.http.answers import encode
from serving.http.metrics import Metrics
from serving.http.questions import to_question
from serving.http.replies import to_body
from serving.impressions import to_entry
from serving.mirrored import Mirrored
from serving.recommend import Recommender
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import commands, decode
from tests.redis_server import running_redis

Times = dict[str, list[float]]
_PATIENT_MS = 10_000


class Requests:
    """Requests of a published platform, whose reads are at hand.

    Args:
        users: One request each, in this order.
    """

    def __init__(self, settings: Settings, users: list[int], surface: str) -> None:
        self._settings, self._users = settings, users
        self._query = f"surface={surface}&limit=20".encode()
        store = RedisStore.open(settings.redis.url, _PATIENT_MS)
        self._mirrored = Mirrored(settings, Warehouse(settings.warehouse_path), store)
        self._mirrored.load()
        self._recommender, self._metrics = Recommender(settings), Metrics(None)
        with redis.Redis.from_url(settings.redis.url) as client:
            self._replies = {user: self._read(client, user) for user in set(users)}

    def _read(self, client: "redis.Redis[bytes]", user: int) -> list[Any]:
        request = to_question("r", str(user), self._query, datetime.now(UTC), self._settings.serving)
        pipeline: Any = client.pipeline(transaction=False)
        for command in commands(self._recommender.ask(request, self._mirrored.state()).plan):
            pipeline.execute_command(*command)
        found: list[Any] = pipeline.execute()
        return found

    def round(self) -> tuple[Times, Times]:
        """Microseconds of each part, and of each stage of `answer`, of every request."""
        parts, stages = Times(), Times()
        for user in self._users:
            marks = [time.perf_counter_ns()]
            request_id = secrets.token_hex(12)
            request = to_question(request_id, str(user), self._query, datetime.now(UTC), self._settings.serving)
            marks.append(time.perf_counter_ns())
            asking = self._recommender.ask(request, self._mirrored.state())
            commands(asking.plan)
            marks.append(time.perf_counter_ns())
            row = decode(asking.plan, self._replies[user])
            marks.append(time.perf_counter_ns())
            slate = self._recommender.answer(asking, row)
            marks.append(time.perf_counter_ns())
            encode(to_body(slate))
            marks.append(time.perf_counter_ns())
            to_entry(slate)
            marks.append(time.perf_counter_ns())
            self._metrics.served(slate, 0.001)
            marks.append(time.perf_counter_ns())
            for name, spent in zip(_PARTS, np.diff(marks).tolist(), strict=True):
                parts.setdefault(name, []).append(spent / 1_000)
            for _, name, spent, _, _ in slate.outcome.trace.records:
                stages.setdefault(name, []).append(spent / 1_000)
        return parts, stages


_PARTS = ("question", "ask", "decode", "answer", "body", "entry", "metrics")


def _medians(times: Times) -> dict[str, float]:
    return {name: round(median(of), 1) for name, of in times.items()}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--surface", default="home_clips")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        settings = Settings(home=Path(folder) / "home", redis=RedisSettings(url=url, timeout_ms=_PATIENT_MS))
        platform_of(arguments.users, settings)
        users = np.random.default_rng(5).integers(1, arguments.users + 1, arguments.requests).tolist()
        requests = Requests(settings, users, arguments.surface)
        requests.round()
        parts, stages = requests.round()
    result = {
        "command": " ".join(["python -m benchmarks.request_path", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "microseconds": round(sum(_medians(parts).values()), 1),
        "parts": _medians(parts),
        "stages_of_answer": _medians(stages),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
