"""What it takes to forget users: to find them in a table, to write it anew without them, and to search a stream.

    python -m benchmarks.erasure [--rows 20000000] [--users 1000] [--slates 1000000] [--repeats 3]

The table is one day of `watch_event_v1` that lies sorted by user, as jobs write it. `search` looks for so many users
whom no row names, `rewrite` is `jobs forget` of as many whom rows name. The stream holds slates of 20 items as the edge
logs them, a hundred of them the erased user's, in a private Redis; `server_seconds` are the server's own processor
time, and a slice is one call of the script that searches (its slow log). Prints one JSON object; medians of the
repeats.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import redis

from contracts import columns as c
from contracts.erasure import Erased
from contracts.names import STREAM_IMPRESSIONS
from contracts.snapshots import Warehouse
from contracts.tables import WATCH_EVENT
from jobs.commands.forget import forget
from serving.impressions import VERSION, Entry
from serving.stores.redis_feeds import STREAM_FIELD
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis

_DAY: Final = date(2026, 1, 30)
_NOW: Final = datetime(2026, 1, 31, 6, tzinfo=UTC)
_TIMEOUT_MS: Final = 60_000
_GONE: Final = 700_000_007
_SLATES_OF_THE_USER: Final = 100
_AT_ONCE: Final = 1_000


def watch_day(rows: int) -> pa.Table:
    """Views of a tenth as many users, whose ids are even."""
    rng = np.random.default_rng(1)
    users = np.sort(rng.integers(0, max(1, rows // 10), rows)) * 2
    seconds = rng.integers(0, 86_400_000_000, rows) + int(_NOW.timestamp() - 108_000) * 1_000_000
    columns = {
        c.USER_ID: users,
        c.CONTENT_ID: rng.integers(0, 2_000_000, rows),
        c.CONTENT_KIND: pa.DictionaryArray.from_arrays(rng.integers(0, 3, rows, np.int8), ["live", "vod", "clip"]),
        c.STREAMER_ID: rng.integers(0, 10_000, rows),
        c.EVENT_TIME: pa.array(seconds, pa.timestamp("us", tz="UTC")),
        c.WATCHED_SECONDS: rng.exponential(300.0, rows),
    }
    empty = {field.name: pa.nulls(rows, field.type) for field in WATCH_EVENT.schema if field.name not in columns}
    return pa.table({**columns, **empty}).select(WATCH_EVENT.column_names).cast(WATCH_EVENT.schema)


def table_seconds(root: Path, rows: int, users: int) -> dict[str, float]:
    """Of a search that finds nobody, and of a table written anew."""
    warehouse, per_day = Warehouse(root), max(1, rows // 10)
    warehouse.write(WATCH_EVENT, _DAY, watch_day(rows), [], _NOW)
    chosen = np.random.default_rng(2).choice(per_day, min(users, per_day), replace=False)
    unknown, known = (Erased(np.sort(chosen) * 2 + odd) for odd in (1, 0))
    files = sorted(warehouse.require(WATCH_EVENT, _DAY).path.glob("*.parquet"))
    searched = _seconds(lambda: _is_false(unknown.are_named_in(WATCH_EVENT, files)))
    rewritten = _seconds(lambda: list(forget(warehouse, known, lambda *_: None, _NOW)))
    left = warehouse.require(WATCH_EVENT, _DAY)
    _is_false(known.are_named_in(WATCH_EVENT, sorted(left.path.glob("*.parquet"))))
    return {"search_seconds": searched, "rewrite_seconds": rewritten}


def _is_false(found: bool) -> None:
    if found:
        raise SystemExit("the table names somebody whom it must not name")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


def fill_stream(client: redis.Redis, slates: int) -> int:
    """Slates of as many users; returns the bytes of one."""
    rng, entry = np.random.default_rng(3), b""
    every = max(1, slates // _SLATES_OF_THE_USER)
    for start in range(0, slates, _AT_ONCE):
        pipeline: Any = client.pipeline(transaction=False)
        items = rng.integers(1_000_000, 9_000_000, (_AT_ONCE, 20)).tolist()
        for place in range(start, min(start + _AT_ONCE, slates)):
            user = _GONE if place % every == 0 else 1_000_000 + place
            entry = msgspec.json.encode(_slate(place, user, items[place - start]))
            pipeline.xadd(STREAM_IMPRESSIONS, {STREAM_FIELD: entry})
        pipeline.execute()
    return len(entry)


def _slate(number: int, user: int, items: list[int]) -> Entry:
    return Entry(
        v=VERSION,
        request_id=f"{number:024x}",
        user_id=user,
        context="heavy",
        surface="home_clips",
        policy_id="thompson/2",
        epoch=12,
        seed=number * 7_919,
        arms=("two_tower", "popular", "preferred"),
        counts=(40, 30, 30),
        parents=(),
        features=(),
        weights=(),
        generation="20260130-0123abcd",
        model_version="7",
        served_at=_NOW.isoformat(),
        kinds=[2] * 20,
        item_ids=items,
        streamer_ids=[item % 10_000 for item in items],
        sources=[1] * 20,
        scores=[item / 1e7 for item in items],
        levels=[2] * 20,
        stages=[("filters", "SeenFilter", 5_000, 100, 90)] * 14,
        notes=[],
    )


def stream_figures(folder: Path, slates: int) -> dict[str, float]:
    """One search of the whole stream for a user."""
    with running_redis(folder, more=["--slowlog-log-slower-than", "0", "--slowlog-max-len", "1000000"]) as url:
        client: Any = redis.Redis.from_url(url)
        size = fill_stream(client, slates)
        client.slowlog_reset()
        before, store = _spent(client), RedisStore.open(url, _TIMEOUT_MS)
        found, after = 0, "0"
        started = time.perf_counter()
        while True:
            last, entries = store.search_stream(STREAM_IMPRESSIONS, str(_GONE).encode(), after)
            found += sum(json.loads(text)[2] == _GONE for _, text in entries)
            if last is None:
                break
            after = last
        seconds = time.perf_counter() - started
        if found < min(slates, _SLATES_OF_THE_USER):
            raise SystemExit(f"{found} slates of the user were found")
        scripts = [entry["duration"] for entry in client.slowlog_get(1_000_000) if entry["command"][:4] == b"EVAL"]
        return {
            "bytes_per_slate": size,
            "seconds": round(seconds, 3),
            "server_seconds": round(_spent(client) - before, 3),
            "slice_ms": round(median(scripts) / 1_000, 3),
            "slice_p99_ms": round(float(np.quantile(scripts, 0.99)) / 1_000, 3),
            "longest_slice_ms": round(max(scripts) / 1_000, 3),
        }


def _spent(client: Any) -> float:  # noqa: ANN401  redis-py types replies as possibly awaitable
    used = client.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--slates", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    tables, streams = [], []
    for _ in range(arguments.repeats):
        with tempfile.TemporaryDirectory() as folder:
            tables.append(table_seconds(Path(folder) / "warehouse", arguments.rows, arguments.users))
            streams.append(stream_figures(Path(folder), arguments.slates))
    result = {
        "command": " ".join(["python -m benchmarks.erasure", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": len(os.sched_getaffinity(0)), "pyarrow": pa.__version__},
        "table": {"rows": arguments.rows, "users": arguments.users, **_medians(tables)},
        "stream": {"slates": arguments.slates, **_medians(streams)},
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    main()
