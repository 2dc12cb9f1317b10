"""Lists a second from Arrow columns to the flipped pointer, against a raw write of the same commands; bytes per list.

    python -m benchmarks.publish [--users 100000] [--candidates 100] [--repeats 5]

`ours` is `serving.publish` of a `candidate_list_v1` table in memory whose strings are dictionaries, as
reading Parquet gives them: packing, one hash per bucket of users with its time to live, heartbeats, flip and sweep.
`ours_from_parquet` is `publish` of the same rows out of a warehouse, with what a batch says of every user. `raw` lays
the HSET and EXPIRE commands of the hashes of `ours` out beforehand, in buffers of about 2 MB, and only sends them, on
one socket whose replies a thread reads. In turns, each into a fresh private server. The lists are those of
`redis_layout`.
"""

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

import hiredis
import numpy as np
import pyarrow as pa
import redis

from contracts import columns as c
from contracts.names import ItemKind, Source, Surface
from contracts.settings import ServingSettings
from contracts.snapshots import Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    USER_FEATURE,
    USER_VECTOR,
)
from serving.day_tables import DayTables
from serving.publish import flip, publish, write_tables
from serving.stores.hashes import Hashes
from serving.stores.memory import MemoryStore
from serving.stores.protocol import GenerationStore
from serving.stores.redis_store import RedisStore
from tests.redis_server import running_redis

Client: TypeAlias = Any
"""redis-py types every reply as possibly awaitable."""
_DAY: Final = date(2026, 1, 30)
_NOW: Final = datetime(2026, 1, 31, 6, tzinfo=UTC)
_CONTENTS, _STREAMERS = 2_000_000, 10_000
_BUFFER_BYTES: Final = 2_000_000
_TIMEOUT_MS: Final = 10_000
_KINDS: Final = [ItemKind.LIVE, ItemKind.VOD, ItemKind.CLIP]
_SOURCES: Final = [Source.PREFERRED, Source.TWO_TOWER, Source.POPULAR]


@dataclass(frozen=True)
class Run:
    """One way to fill one fresh server."""

    seconds: float
    client_seconds: float
    """Of this process' processors."""
    server_seconds: float
    bytes_per_list: float


def list_table(users: int, candidates: int, rng: np.random.Generator) -> pa.Table:
    """Lists of a platform with two million contents of ten thousand streamers; a list names about 43 of them."""
    rows = users * candidates
    own = rng.integers(0, _STREAMERS, (users, candidates // 2))
    streamers = np.take_along_axis(own, rng.integers(0, candidates // 2, (users, candidates)), axis=1).ravel()
    codes = rng.integers(0, 3, rows).astype(np.int32)
    scores = -np.sort(-rng.random((users, candidates)), axis=1).ravel()
    columns = {
        c.USER_ID: np.repeat(np.arange(users), candidates),
        c.SURFACE: _words([Surface.HOME_CLIPS], np.zeros(rows, np.int32)),
        c.RANK: np.tile(np.arange(1, candidates + 1, dtype=np.int32), users),
        c.ITEM_KIND: _words(_KINDS, codes),
        c.ITEM_ID: rng.integers(0, _CONTENTS, rows),
        c.STREAMER_ID: streamers,
        c.SOURCE: _words(_SOURCES, codes),
        c.SCORE: scores,
        c.MODEL_VERSION: _words(["7"], np.zeros(rows, np.int32)),
    }
    return pa.table(columns)


def _words(words: list[Any], codes: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes, [str(word) for word in words])


def day_tables(lists: pa.Table, batch_rows: int) -> DayTables:
    """Nothing but the users' lists."""
    batches = [lists.slice(start, batch_rows) for start in range(0, lists.num_rows, batch_rows)]
    newest, vectors = REPRESENTATIVE_VOD.schema.empty_table(), USER_VECTOR.schema.empty_table()
    return DayTables(batches, [], [], [], [], [], newest, vectors, ("", ""))


def publish_tables(tables: DayTables, store: GenerationStore, settings: ServingSettings) -> None:
    """A publish of tables in memory."""
    started = time.perf_counter()
    flip(write_tables(tables, store, settings, _DAY), store, settings, _NOW, started)


def write_warehouse(root: Path, lists: pa.Table, users: int) -> Warehouse:
    """The same lists as a partition, a segment for every user, and empty partitions of the other tables."""
    warehouse = Warehouse(root)
    count = lists.num_rows
    more = {
        c.EXPLORATION_KIND: pa.nulls(count, pa.string()),
        c.AVAILABLE_AT: pa.repeat(pa.scalar(_NOW, pa.timestamp("us", tz="UTC")), count),
    }
    plain = pa.table({name: _plain(lists.column(name)) for name in lists.column_names} | more)
    warehouse.write(
        CANDIDATE_LIST, _DAY, plain.select(CANDIDATE_LIST.column_names).cast(CANDIDATE_LIST.schema), [], _NOW
    )
    for table in (SEGMENT_LIST, REPRESENTATIVE_VOD, RELATED_STREAMER, NEXT_CONTENT):
        warehouse.write(table, _DAY, table.schema.empty_table(), [], _NOW)
    filled = {field.name: _zeros(field.type, users) for field in USER_FEATURE.schema}
    filled |= {c.USER_ID: pa.array(np.arange(users)), c.SEGMENT: pa.repeat("heavy", users)}
    warehouse.write(USER_FEATURE, _DAY, pa.table(filled, USER_FEATURE.schema), [], _NOW)
    return warehouse


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _zeros(kind: pa.DataType, count: int) -> pa.Array:
    if pa.types.is_list(kind):
        return pa.array([[]] * count, kind)
    return pa.repeat(pa.scalar(_NOW if pa.types.is_timestamp(kind) else 0).cast(kind), count)


def raw_buffers(tables: DayTables) -> list[tuple[bytes, int]]:
    """The commands that fill the same hashes, and how many replies each buffer gets."""
    keeps = _KeepingStore(time.monotonic)
    publish_tables(tables, keeps, ServingSettings())
    ttl = str(round(ServingSettings().list_ttl_hours * 3600)).encode()
    buffers, commands, size = [], list[bytes](), 0
    for key, fields in keeps.written.items():
        put = hiredis.pack_command((b"HSET", key.encode(), *chain.from_iterable(fields.items())))
        commands += [put, hiredis.pack_command((b"EXPIRE", key.encode(), ttl))]
        size += len(put)
        if size >= _BUFFER_BYTES:
            buffers.append((b"".join(commands), len(commands)))
            commands, size = [], 0
    return [*buffers, (b"".join(commands), len(commands))]


class _KeepingStore(MemoryStore):
    """Keeps what is written."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.written: dict[str, dict[bytes, bytes]] = {}

    def write_hashes(self, generation: str, hashes: Hashes, ttl_seconds: int) -> int:
        for key, fields in hashes.items():
            self.written.setdefault(key, {}).update(fields)
        return super().write_hashes(generation, hashes, ttl_seconds)


def write_raw(url: str, buffers: list[tuple[bytes, int]]) -> None:
    """Send all buffers; return when every command is answered."""
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as connection:
        replies = sum(count for _, count in buffers)
        reader = threading.Thread(target=_read_replies, args=(connection, replies))
        reader.start()
        for buffer, _ in buffers:
            connection.sendall(buffer)
        reader.join()


def _read_replies(connection: socket.socket, replies: int) -> None:
    while replies > 0:
        replies -= connection.recv(65_536).count(b"\n")  # each is one integer, on a line of its own


def measure(fill: Callable[[str], None], lists: int) -> Run:
    """Fill a fresh server."""
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        client: Client = redis.Redis.from_url(url)
        empty, before = client.info("memory")["used_memory"], _server_seconds(client)
        started, used = time.perf_counter(), time.process_time()
        fill(url)
        seconds, client_seconds = time.perf_counter() - started, time.process_time() - used
        filled = client.info("memory")["used_memory"] - empty
        return Run(seconds, client_seconds, _server_seconds(client) - before, filled / lists)


def _server_seconds(client: Client) -> float:
    info = client.info("cpu")
    return float(info["used_cpu_sys"] + info["used_cpu_user"])


def _summary(runs: list[Run], lists: int) -> dict[str, object]:
    seconds = [run.seconds for run in runs]
    return {
        "lists_per_second": round(lists / statistics.median(seconds)),
        "seconds": [round(value, 3) for value in seconds],
        "client_microseconds_per_list": round(statistics.median(run.client_seconds for run in runs) / lists * 1e6, 2),
        "server_microseconds_per_list": round(statistics.median(run.server_seconds for run in runs) / lists * 1e6, 2),
        "redis_bytes_per_list": round(statistics.median(run.bytes_per_list for run in runs), 1),
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    settings, users = ServingSettings(), arguments.users
    lists = list_table(users, arguments.candidates, np.random.default_rng(1))
    tables = day_tables(lists, settings.publish_batch_rows)
    buffers = raw_buffers(tables)

    with tempfile.TemporaryDirectory() as folder:
        warehouse = write_warehouse(Path(folder), lists, users)
        ways: dict[str, Callable[[str], object]] = {
            "raw": lambda url: write_raw(url, buffers),
            "ours": lambda url: publish_tables(tables, RedisStore.open(url, _TIMEOUT_MS), settings),
            "ours_from_parquet": lambda url: publish(
                warehouse, RedisStore.open(url, _TIMEOUT_MS), settings, _DAY, _NOW
            ),
        }
        runs: dict[str, list[Run]] = {name: [] for name in ways}
        for number in range(arguments.repeats + 1):
            for name, fill in ways.items():  # in turns, so that a busy minute of the machine hits all
                run = measure(fill, users)
                if number:
                    runs[name].append(run)
    summaries = {name: _summary(of, users) for name, of in runs.items()}
    raw = statistics.median(run.seconds for run in runs["raw"])
    result = {
        "command": " ".join(["python -m benchmarks.publish", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": len(os.sched_getaffinity(0)), "redis_py": redis.__version__, "numpy": np.__version__},
        "lists": users,
        "candidates": arguments.candidates,
        **summaries,
        "share_of_raw": {
            name: round(raw / statistics.median(run.seconds for run in runs[name]), 3) for name in ways if name != "raw"
        },
    }
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
