"""Edges for tests: in this process, asked without a socket, and as the process that an operator starts."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from contracts.errors import ServiceStartError
from contracts.settings import BanditSettings, HttpSettings, MirrorSettings, RedisSettings, Settings
from serving.http.app import Edge
from serving.http.worker import Worker
from tests.redis_server import free_port

T = TypeVar("T")
_START_SECONDS = 60.0
_PRIOR = BanditSettings(prior_successes=1.0, prior_failures=9.0, context_strength=10.0)
"""Beta(1, 9), whatever the tuned defaults are."""
PATIENT_MS = 5_000
"""A busy machine may keep Redis waiting for longer than a request of a platform would."""
_QUICK = MirrorSettings(block_ms=50, poll_ms=50)
"""Mirrors that end when they are asked to."""


def edge_settings(home: Path, redis_url: str, http: HttpSettings | None = None) -> Settings:
    """Of an edge that anybody may ask, unless `http` says otherwise."""
    redis = RedisSettings(url=redis_url, timeout_ms=PATIENT_MS)
    return Settings(home=home, redis=redis, bandit=_PRIOR, mirrors=_QUICK, http=http or HttpSettings(needs_key=False))


def talk(settings: Settings, dialogue: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """What a dialogue with an edge of these settings gives; the edge runs in this process, for so long."""

    async def go() -> T:
        worker = Worker(settings, None)
        await worker.start()
        try:
            transport = httpx.ASGITransport(Edge(worker))
            async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
                return await dialogue(client)
        finally:
            await worker.stop()

    return asyncio.run(go())


def get(settings: Settings, path: str, **more: object) -> httpx.Response:
    """One answer."""
    return talk(settings, lambda client: client.get(path, **more))  # type: ignore[arg-type]  # headers or auth


@dataclass(frozen=True)
class RunningEdge:
    """An edge that runs by itself."""

    url: str
    key: str


@contextmanager
def running_edge(environment: dict[str, str], log: Path) -> Iterator[str]:
    """`python -m serving serve` with these variables; yields its address once it answers."""
    port = free_port()
    variables = {**os.environ, "STREAMREC_REDIS__TIMEOUT_MS": str(PATIENT_MS), **environment}
    variables["STREAMREC_HTTP__PORT"] = str(port)
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=variables, stdout=out, stderr=out)
        try:
            _wait_until_it_answers(server, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise ServiceStartError(f"the edge did not come up: {log.read_text()}")
