"""Bytes per list and cost of a read: one hash per bucket of users against one key per user (docs/adr/0004).

    python -m benchmarks.redis_layout [--users 20000] [--candidates 100]

Starts a private server per layout and prints one JSON object. Every layout holds the same lists and has a time to live.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import redis

from contracts import redis_keys
from contracts.packed_lists import pack
from contracts.payload import CandidateColumns
from tests.redis_server import running_redis

_TTL_SECONDS: Final = 3_600
_LISTS_AT_ONCE: Final = 2_000
_READS: Final = 5_000
Client: TypeAlias = Any
"""redis-py types every reply as possibly awaitable."""
Lists = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Layout:
    """How lists are laid out: writing many in one pipeline, and reading one."""

    name: str
    write: Callable[[Client, Lists], None]
    read: Callable[[Client, int], bytes | None]


@dataclass(frozen=True)
class Measured:
    """What one layout cost."""

    layout: str
    lists: int
    payload_bytes_per_list: float
    redis_bytes_per_list: float
    written_lists_per_second: int
    read_p50_microseconds: float
    read_p99_microseconds: float


def bucket_hash(users_per_bucket: int) -> Layout:
    """One hash per so many users; one time to live per hash."""

    def key(user: int) -> str:
        return f"sr:l:g:{{home_clips:{user // users_per_bucket}}}"

    def write(client: Client, lists: Lists) -> None:
        pipeline = client.pipeline(transaction=False)
        buckets: dict[str, list[bytes | int]] = {}
        for user, packed in lists:
            buckets.setdefault(key(user), []).extend((user, packed))
        for bucket, fields in buckets.items():
            pipeline.execute_command("HSET", bucket, *fields)
            pipeline.expire(bucket, _TTL_SECONDS)
        pipeline.execute()

    def read(client: Client, user: int) -> bytes | None:
        packed: bytes | None = client.hget(key(user), user)
        return packed

    return Layout(f"hash of {users_per_bucket} users", write, read)


def key_per_user() -> Layout:
    """One string per user, each with its own time to live."""

    def write(client: Client, lists: Lists) -> None:
        pipeline = client.pipeline(transaction=False)
        for user, packed in lists:
            pipeline.set(f"sr:l:g:home_clips:{user}", packed, ex=_TTL_SECONDS)
        pipeline.execute()

    def read(client: Client, user: int) -> bytes | None:
        packed: bytes | None = client.get(f"sr:l:g:home_clips:{user}")
        return packed

    return Layout("key per user", write, read)


def random_lists(users: int, candidates: int, rng: np.random.Generator) -> Iterator[tuple[int, bytes]]:
    """Lists of a platform with two million contents of ten thousand streamers; a list names about 43 of them."""
    for user in range(users):
        items = rng.integers(0, 2_000_000, candidates)
        streamers = rng.integers(0, 10_000, candidates // 2)[rng.integers(0, candidates // 2, candidates)]
        codes = rng.integers(0, 3, candidates).astype(np.uint8)
        scores = np.sort(rng.random(candidates).astype(np.float32))[::-1]
        yield user, pack(CandidateColumns(items, codes, streamers, codes, scores))


def measure(layout: Layout, lists: Lists, rng: np.random.Generator) -> Measured:
    """Fill a fresh server, then read lists of random users one at a time over one connection.

    A fresh one, because a flush frees memory when it likes.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        running_redis(Path(folder)) as url,
        redis.Redis.from_url(url) as client,
    ):
        empty = client.info("memory")["used_memory"]
        started = time.perf_counter()
        for start in range(0, len(lists), _LISTS_AT_ONCE):
            layout.write(client, lists[start : start + _LISTS_AT_ONCE])
        seconds = time.perf_counter() - started
        used = client.info("memory")["used_memory"] - empty
        users = rng.integers(0, len(lists), _READS).tolist()
        times = [_timed(partial(layout.read, client, user)) for user in users]
    p50, p99 = np.percentile(times, [50, 99])
    return Measured(
        layout=layout.name,
        lists=len(lists),
        payload_bytes_per_list=round(sum(len(packed) for _, packed in lists) / len(lists), 1),
        redis_bytes_per_list=round(used / len(lists), 1),
        written_lists_per_second=round(len(lists) / seconds),
        read_p50_microseconds=round(float(p50), 1),
        read_p99_microseconds=round(float(p99), 1),
    )


def _timed(read: Callable[[], bytes | None]) -> float:
    started = time.perf_counter()
    if read() is None:
        raise LookupError("a list that was written is not there")
    return (time.perf_counter() - started) * 1e6


def main() -> None:
    """Measure every layout on one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, default=100)
    arguments = parser.parse_args()
    lists = list(random_lists(arguments.users, arguments.candidates, np.random.default_rng(1)))
    layouts = [key_per_user(), bucket_hash(32), bucket_hash(redis_keys.USERS_PER_BUCKET), bucket_hash(1_024)]
    measured = [measure(layout, lists, np.random.default_rng(2)) for layout in layouts]
    json.dump([asdict(one) for one in measured], sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
