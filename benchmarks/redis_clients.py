"""What a request's commands cost: redis-py's asyncio client against the edge's own connection (docs/adr/0007).

    python -m benchmarks.redis_clients [--requests 4000] [--repeats 5]

Starts a private server with one user's list of 900 bytes, segment and marks, and reads them in one round trip, by one
and by four requests at a time, in turns. Prints one JSON object: microseconds of this process's processor a request,
medians.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Final

import redis
import redis.asyncio
import uvloop

from contracts import redis_keys
from serving.stores.pipelined import PipelinedRedis
from serving.stores.user_reads import ReadPlan, commands
from tests.redis_server import running_redis

_PLAN: Final = ReadPlan("g", "home_clips", 5)
Read = Callable[[], Awaitable[object]]


def fill(url: str) -> None:
    """The keys of one user."""
    with redis.Redis.from_url(url) as client:
        client.hset(redis_keys.lists("g", "home_clips", 0), "5", os.urandom(900))
        client.hset(redis_keys.segments("g", 0), "5", os.urandom(100))
        client.set(redis_keys.seen(5), os.urandom(1_200))


async def spent(read: Read, requests: int, at_a_time: int) -> float:
    """Microseconds of processor a request."""

    async def some(count: int) -> None:
        for _ in range(count):
            await read()

    await some(100)
    started = time.process_time()
    await asyncio.gather(*(some(requests // at_a_time) for _ in range(at_a_time)))
    return (time.process_time() - started) / requests * 1e6


async def measure(url: str, requests: int, repeats: int) -> dict[str, dict[str, float]]:
    """Both clients, in turns."""
    asked = commands(_PLAN)
    usual = redis.asyncio.Redis.from_url(url)
    ours = PipelinedRedis(url, 1_000, 100)
    await ours.start()

    async def by_redis_py() -> object:
        pipeline = usual.pipeline(transaction=False)
        for command in asked:
            pipeline.execute_command(*command)
        return await pipeline.execute()

    async def by_ours() -> object:
        return await ours.ask(asked)

    reads: dict[str, Read] = {"redis_py_asyncio": by_redis_py, "pipelined": by_ours}
    found: dict[str, dict[str, float]] = {name: {} for name in reads}
    for at_a_time in (1, 4):
        runs: dict[str, list[float]] = {name: [] for name in reads}
        for _ in range(repeats):
            for name, read in reads.items():
                runs[name].append(await spent(read, requests, at_a_time))
        for name, values in runs.items():
            found[name][str(at_a_time)] = round(median(values), 1)
    await ours.stop()
    await usual.aclose()
    return found


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as url:
        fill(url)
        found = uvloop.run(measure(url, arguments.requests, arguments.repeats))
    sys.stdout.write(json.dumps({"client_microseconds_by_requests_at_a_time": found}) + "\n")


if __name__ == "__main__":
    main()
