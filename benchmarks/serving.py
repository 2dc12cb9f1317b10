"""Requests a second and latencies of the HTTP edge, beside raw reads of the same keys.

    python -m benchmarks.serving [--users 20000] [--seconds 8] [--repeats 3]

Starts a private Redis, publishes a platform through `serving.publish` (lists of 100 candidates, 200 seen contents and
some hidden ones per user, a catalogue of 200,000), starts workers, and loads them from one process on loopback. All
filters and caps, authentication, Thompson sampling and impression logging are on; answers are JSON of 20 items. Prints
one JSON object; medians of the repeats. Processor time is the workers' and Redis's own, from /proc.
"""

import argparse
import asyncio
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import pyarrow as pa
import uvloop

from contracts import columns as c
from contracts.payload import Ids
from contracts.schema import Table
from contracts.settings import RedisSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    CONTENT,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    STREAMER,
    USER_FEATURE,
)
from serving.epochs import ensure_contexts
from serving.publish import publish
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.pipelined import PipelinedRedis
from serving.stores.protocol import MarkKey
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import ReadPlan, commands
from tests.redis_server import running_redis

_DAY: Final = date(2026, 1, 30)
_KEY: Final = "a-key-of-the-benchmark"
_CONTENTS, _STREAMERS, _CANDIDATES, _SEEN = 200_000, 20_000, 100, 200
_SOURCES: Final = ("two_tower", "preferred", "representative", "popular", "exploration/newcomer", "exploration/lapsed")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A platform that was published, and where."""

    settings: Settings
    generation: str
    users: int


def platform_of(users: int, settings: Settings) -> str:
    """Write the tables, publish them, load marks and leases; returns the generation."""
    rng, now = np.random.default_rng(7), datetime.now(UTC)
    warehouse = Warehouse(settings.warehouse_path)
    contents = np.arange(1_000_000, 1_000_000 + _CONTENTS)
    owners = rng.integers(1, _STREAMERS + 1, _CONTENTS)
    _write(warehouse, CONTENT, _contents(contents, owners, now), now)
    names = pa.array([f"streamer {streamer}" for streamer in range(1, _STREAMERS + 1)])
    _write(warehouse, STREAMER, {c.STREAMER_ID: np.arange(1, _STREAMERS + 1), c.NAME: names}, now)
    lists = [_lists(rng, users, "home_clips", contents, owners), _lists(rng, users, "home_live", None, None)]
    merged = {name: _joined([part[name] for part in lists]) for name in lists[0]}
    _write(warehouse, CANDIDATE_LIST, {**merged, c.AVAILABLE_AT: [now] * len(merged[c.RANK])}, now)
    segments = _lists(rng, 1, "home_clips", contents, owners)
    shared = {name: value for name, value in segments.items() if name != c.USER_ID}
    _write(
        warehouse, SEGMENT_LIST, {**shared, c.SEGMENT: ["all"] * _CANDIDATES, c.AVAILABLE_AT: [now] * _CANDIDATES}, now
    )
    known = rng.integers(1, _STREAMERS + 1, (users, 20)).tolist()
    words = np.array(["light", "heavy"])[rng.integers(0, 2, users)]
    _write(
        warehouse,
        USER_FEATURE,
        {c.USER_ID: np.arange(1, users + 1), c.SEGMENT: words, c.RECENT_STREAMER_IDS: known,
         c.PREFERRED_STREAMER_IDS: [[]] * users, c.RECENT_CONTENT_IDS: [[]] * users},
        now,
    )  # fmt: skip
    for table in (REPRESENTATIVE_VOD, RELATED_STREAMER, NEXT_CONTENT):
        warehouse.write(table, _DAY, table.schema.empty_table(), [], now)
    store = RedisStore.open(settings.redis.url, settings.redis.batch_timeout_ms)
    ensure_contexts(store, settings.bandit, settings.candidates.surfaces)
    report = publish(warehouse, store, settings.serving, _DAY, now)
    _marks(rng, store, users, contents)
    _leases(store, settings, now)
    return report.generation


def _lists(
    rng: np.random.Generator,
    users: int,
    surface: str,
    contents: Ids | None,
    owners: Ids | None,
) -> dict[str, Any]:
    rows = users * _CANDIDATES
    if contents is None or owners is None:
        items = rng.integers(1, _STREAMERS + 1, rows)
        streamers, kind = items, "streamer"
    else:
        place = rng.integers(0, _CONTENTS, rows)
        items, streamers, kind = contents[place], owners[place], "clip"
    rank = np.tile(np.arange(1, _CANDIDATES + 1, dtype=np.int32), users)
    return {
        c.USER_ID: np.repeat(np.arange(1, users + 1), _CANDIDATES),
        c.SURFACE: pa.array([surface]).take(pa.array(np.zeros(rows, np.int32))),
        c.RANK: rank,
        c.ITEM_KIND: pa.array([kind]).take(pa.array(np.zeros(rows, np.int32))),
        c.ITEM_ID: items,
        c.STREAMER_ID: streamers,
        c.SOURCE: pa.array(_SOURCES).take(pa.array(rng.integers(0, len(_SOURCES), rows))),
        c.SCORE: 1.0 / rank,
        c.MODEL_VERSION: pa.array(["7"]).take(pa.array(np.zeros(rows, np.int32))),
    }


def _joined(parts: list[Any]) -> Any:  # noqa: ANN401  arrow or numpy, as it came
    if isinstance(parts[0], pa.Array):
        return pa.concat_arrays(parts)
    return np.concatenate(parts)


def _contents(contents: Any, owners: Any, now: datetime) -> dict[str, Any]:  # noqa: ANN401  numpy arrays
    count = len(contents)
    return {
        c.CONTENT_ID: contents,
        c.CONTENT_KIND: ["clip"] * count,
        c.STREAMER_ID: owners,
        c.BROADCAST_ID: contents // 3,
        c.OFFSET_SECONDS: (contents % 3) * 600.0,
        c.TITLE: [f"a clip with a title of usual length {content}" for content in contents.tolist()],
        c.LANGUAGE: [("en", "de", "ja")[content % 3] for content in contents.tolist()],
        c.PUBLISHED_AT: [now] * count,
        c.VISIBILITY: ["removed" if content % 50 == 0 else "public" for content in contents.tolist()],
    }


def _write(warehouse: Warehouse, table: Table, columns: dict[str, Any], now: datetime) -> None:
    """A partition of these columns; what is not given is null, 0 or the present."""
    rows = len(next(iter(columns.values())))
    filled = []
    for field in table.schema:
        values = columns.get(field.name)
        if values is None:
            values = pa.nulls(rows, field.type) if field.nullable else _default(field.type, rows, now)
        filled.append(values if isinstance(values, pa.Array) else pa.array(values, field.type))
    warehouse.write(table, _DAY, pa.Table.from_arrays(filled, schema=table.schema), [], now)


def _default(kind: pa.DataType, rows: int, now: datetime) -> pa.Array:
    value = now if pa.types.is_timestamp(kind) else 0
    return pa.array([value] * rows, kind)


def _marks(rng: np.random.Generator, store: RedisStore, users: int, contents: Any) -> None:  # noqa: ANN401  an array
    at = time.time()
    seen = rng.choice(contents, (users, _SEEN))
    for start in range(0, users, 2_000):
        batch = {user + 1: dict.fromkeys(seen[user].tolist(), at) for user in range(start, min(users, start + 2_000))}
        store.add_marks(MarkKey.SEEN, batch, 0.0, 2_000, 86_400)
        hidden = {user: {int(rng.integers(1, _STREAMERS)): at, int(rng.integers(1, _STREAMERS)): at} for user in batch}
        store.add_marks(MarkKey.HIDDEN_STREAMERS, hidden, 0.0, 100, 86_400)


def _leases(store: RedisStore, settings: Settings, now: datetime) -> None:
    """A quarter of the streamers is live, for longer than the measurement."""
    terms = LeaseTerms.of(settings.serving.model_copy(update={"lease_seconds": 3_600.0}), settings.live)
    seconds = now.timestamp()
    renewals = [
        Renewal(streamer, 5_000_000 + streamer, seconds, seconds, LeaseDetails("a title", "game 1", "en"))
        for streamer in range(1, _STREAMERS + 1, 4)
    ]
    for start in range(0, len(renewals), 500):
        store.apply_live(renewals[start : start + 500], terms)


@contextmanager
def running_edge(served: Served, workers: int) -> Iterator[tuple[int, Callable[[], float]]]:
    """The edge on a port; yields the port and what its processes have spent, in seconds."""
    port = 18_080 + workers
    environment = {
        **os.environ,
        "STREAMREC_HOME": str(served.settings.home),
        "STREAMREC_REDIS__URL": served.settings.redis.url,
        "STREAMREC_HTTP__PORT": str(port),
        "STREAMREC_HTTP__WORKERS": str(workers),
        "STREAMREC_HTTP__REQUESTS_PER_SECOND": "1000000",
        "STREAMREC_HTTP__API_KEYS": json.dumps({"benchmark": hashlib.sha256(_KEY.encode()).hexdigest()}),
    }
    process = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=environment)
    try:
        _wait_until_ready(port)
        yield port, lambda: sum(map(_spent, [process.pid, *_children(process.pid)]))
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the edge did not become ready")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _spent(pid: int) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def loaded(port: int, paths: Path, connections: int, seconds: float, rate: float | None = None) -> dict[str, Any]:
    """One load from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.http_load", "--port", str(port), "--paths", str(paths)]
    command += ["--connections", str(connections), "--seconds", str(seconds), "--key", _KEY]
    command += ["--rate", str(rate)] if rate else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def raw_reads(served: Served, connections: int, seconds: float) -> dict[str, Any]:
    """The same keys read by as many at a time, and nothing made of the answers."""

    async def read() -> dict[str, Any]:
        redis = PipelinedRedis(served.settings.redis.url, 1_000, 100)
        await redis.start()
        rng = np.random.default_rng(3)
        plans = [ReadPlan(served.generation, "home_clips", int(user)) for user in rng.integers(1, served.users, 4_096)]
        asked = [commands(plan) for plan in plans]
        end, counts = time.perf_counter() + seconds, [0] * connections

        async def one(place: int) -> None:
            while time.perf_counter() < end:
                await redis.ask(asked[(place * 997 + counts[place]) % len(asked)])
                counts[place] += 1

        started = time.process_time()
        await asyncio.gather(*(one(place) for place in range(connections)))
        spent = time.process_time() - started
        await redis.stop()
        return {"reads_per_second": round(sum(counts) / seconds), "client_cpu_us": round(spent / sum(counts) * 1e6, 1)}

    return dict(uvloop.run(read()))


def measured(served: Served, paths: Path, workers: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Closed and open loops on so many workers."""
    rows = []
    with running_edge(served, workers) as (port, spent):
        loaded(port, paths, 8, 2.0)
        for connections in (4, 32):
            runs = []
            for _ in range(arguments.repeats):
                before = spent()
                run = loaded(port, paths, connections, arguments.seconds)
                run["worker_cpu_us"] = round((spent() - before) / max(run["requests"], 1) * 1e6, 1)
                runs.append(run)
            rows.append({"workers": workers, **_median_of(runs)})
            rate = 0.7 * rows[-1]["requests_per_second"]
            runs = [loaded(port, paths, connections, arguments.seconds, rate) for _ in range(arguments.repeats)]
            rows.append({"workers": workers, **_median_of(runs)})
    return rows


def _median_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: round(median(run[name] for run in runs), 3) if isinstance(value, (int, float)) else value
        for name, value in runs[0].items()
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        settings = Settings(home=Path(folder) / "home", redis=RedisSettings(url=url))
        served = Served(settings, platform_of(arguments.users, settings), arguments.users)
        paths = Path(folder) / "paths"
        ids = np.random.default_rng(5).integers(1, arguments.users + 1, 10_000).tolist()
        result: dict[str, Any] = {
            "command": " ".join(["python -m benchmarks.serving", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        result["raw"] = {n: raw_reads(served, n, arguments.seconds) for n in (4, 32)}
        for surface in ("home_clips", "home_live"):
            paths.write_text("\n".join(f"/v1/recommendations/{user}?surface={surface}&limit=20" for user in ids))
            result[surface] = [row for n in arguments.workers for row in measured(served, paths, n, arguments)]
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
