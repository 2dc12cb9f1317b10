"""A load of GET requests from one process: closed loop, or open loop without coordinated omission.

    python -m benchmarks.http_load --port 8080 --paths FILE --connections 4 --seconds 5 [--rate 2000] [--key KEY]

Closed: every connection asks again as soon as it has its answer. Open: requests are due at fixed times, whatever the
answers do; a latency counts from when its request was due, so that a stall is felt by all that wait behind it.
Prints one JSON object; latencies in milliseconds.
"""

import argparse
import asyncio
import json
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass
class Tally:
    """What came back."""

    latencies: list[float] = field(default_factory=list)
    failures: int = 0
    bytes: int = 0


class Connection(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._due = 0.0
        self._is_busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  a name of asyncio's
        self._transport = None
        if self._is_busy:
            self._load.tally.failures += 1

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head = self._buffer.find(_HEAD_END)
        if head < 0:
            return
        start = self._buffer.lower().find(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._buffer[start : self._buffer.find(b"\r\n", start)])
        if len(self._buffer) < head + len(_HEAD_END) + length:
            return
        is_good = self._buffer.startswith(b"HTTP/1.1 200")
        self._load.done(self, self._due, is_good=is_good, size=len(self._buffer))
        # What follows an answer would be another's: there is one at a time.
        self._buffer = b""

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that is, or was, due at a time."""
        self._due, self._is_busy, self._buffer = due, True, b""
        if self._transport is not None:
            self._transport.write(request)


class Load:
    """The requests and who sends them.

    Args:
        rate: Requests a second in open loop; None is closed.
    """

    def __init__(self, requests: list[bytes], seconds: float, rate: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests, self._rate = requests, rate
        self._next = 0
        self._end = self._loop.time() + seconds
        self._idle: deque[Connection] = deque()
        self._waiting: deque[float] = deque()
        self.tally = Tally()
        self.finished = self._loop.create_future()
        self.busy = 0

    def done(self, connection: Connection, due: float, *, is_good: bool, size: int) -> None:
        """Count an answer, and give the connection what waits."""
        now = self._loop.time()
        self.tally.bytes += size
        if is_good:
            self.tally.latencies.append(now - due)
        else:
            self.tally.failures += 1
        self.busy -= 1
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        elif self._rate is None and now < self._end:
            self._send(connection, now)
        else:
            self._idle.append(connection)
            if now >= self._end and not self.busy and not self.finished.done():
                self.finished.set_result(None)

    async def run(self, connections: list[Connection]) -> None:
        """All requests, until the time is over and the last answer there."""
        if self._rate is None:
            for connection in connections:
                self._send(connection, self._loop.time())
        else:
            self._idle.extend(connections)
            await self._pace(self._rate)
        await asyncio.wait_for(self.finished, 30)

    async def _pace(self, rate: float) -> None:
        due = self._loop.time()
        while due < self._end:
            now = self._loop.time()
            while due <= now and due < self._end:
                if self._idle:
                    self._send(self._idle.popleft(), due)
                else:
                    self._waiting.append(due)
                due += 1 / rate
            await asyncio.sleep(max(0.0, due - self._loop.time()))

    def _send(self, connection: Connection, due: float) -> None:
        self.busy += 1
        connection.ask(self._requests[self._next % len(self._requests)], due)
        self._next += 1


async def measure(arguments: argparse.Namespace) -> dict[str, float | int | str | None]:
    """The load and what came of it."""
    paths = Path(arguments.paths).read_text().split()
    np.random.default_rng(1).shuffle(paths)
    key = f"Authorization: Bearer {arguments.key}\r\n" if arguments.key else ""
    requests = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{key}\r\n".encode() for path in paths]
    loop = asyncio.get_running_loop()
    load = Load(requests, arguments.seconds, arguments.rate)
    connections = []
    for _ in range(arguments.connections):
        _, connection = await loop.create_connection(lambda: Connection(load), "127.0.0.1", arguments.port)
        connections.append(connection)
    started = loop.time()
    await load.run(connections)
    seconds = loop.time() - started
    tally = load.tally
    p50, p99, p999 = np.percentile(np.array(tally.latencies or [0.0]) * 1000, [50, 99, 99.9])
    return {
        "loop": "closed" if arguments.rate is None else "open",
        "connections": arguments.connections,
        "asked_per_second": arguments.rate,
        "requests": len(tally.latencies),
        "failures": tally.failures,
        "requests_per_second": round(len(tally.latencies) / seconds),
        "bytes_per_answer": round(tally.bytes / max(len(tally.latencies), 1)),
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "p99_9_ms": round(float(p999), 3),
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--paths", required=True, help="a file of paths, one a line")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--key")
    sys.stdout.write(json.dumps(uvloop.run(measure(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
