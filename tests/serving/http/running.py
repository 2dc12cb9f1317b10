"""The edge as it runs: uvicorn, in a thread of this process."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from contracts.settings import HttpSettings, MirrorSettings, RedisSettings, Settings
from contracts.snapshots import Warehouse
from serving.epochs import ensure_contexts
from serving.http.app import Edge
from serving.http.joined_writes import JoinedWrites
from serving.http.worker import Worker
from serving.publish import publish
from serving.stores.redis_store import RedisStore
from tests.redis_server import free_port
from tests.serving.builders import DAY, NOW

KEY, CALLER = "k3y-of-the-app", "app"
PATIENT_MS = 5_000
"""A busy machine must not look like a slow Redis, where a test is not about that."""


def settings_of(home: Path, redis_url: str, *, timeout_ms: int = PATIENT_MS, **http: Any) -> Settings:  # noqa: ANN401
    """Settings of a worker that looks at Redis often, and takes one key."""
    keys = {CALLER: hashlib.sha256(KEY.encode()).hexdigest()}
    return Settings(
        home=home,
        redis=RedisSettings(url=redis_url, timeout_ms=timeout_ms),
        mirrors=MirrorSettings(
            block_ms=50, poll_ms=20.0, catalogue_poll_seconds=0.05, backoff_ms=10.0, max_backoff_ms=50.0
        ),
        http=HttpSettings(**{"api_keys": keys, "retry_ms": 20, "start_seconds": 5.0, **http}),
    )


@dataclass(frozen=True)
class Running:
    """A server, and somebody who asks it."""

    worker: Worker
    client: httpx.Client

    @property
    def store(self) -> RedisStore:
        redis = self.worker.settings.redis
        return RedisStore.open(redis.url, redis.batch_timeout_ms)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def ask(self, user: int | None, surface: str = "home_clips", **parameters: object) -> dict[str, Any]:
        """The body of a slate."""
        who = "" if user is None else f"/{user}"
        answer = self.client.get(f"/v1/recommendations{who}", params=_texts({"surface": surface, **parameters}))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def tell(self, *events: Mapping[str, object]) -> httpx.Response:
        """Feedback."""
        return self.client.post("/v1/feedback", json={"events": list(events)})

    def publish_once(self) -> str:
        """Publish the home's tables; returns the generation."""
        settings = self.worker.settings
        ensure_contexts(self.store, settings.bandit, settings.candidates.surfaces)
        return publish(Warehouse(settings.warehouse_path), self.store, settings.serving, DAY, NOW).generation

    def publish(self) -> str:
        """The same, and wait until it is served."""
        generation = self.publish_once()
        self.until(lambda: self.worker.mirrored.state().published.current == generation)
        self.until(lambda: not self.worker.mirrored.state().problems and self.worker.redis.is_up)
        return generation

    @staticmethod
    def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait for something that happens in the background."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)


def _texts(parameters: Mapping[str, object]) -> dict[str, str]:
    """Parameters as a query has them: lists with commas."""
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in parameters.items()
        if value is not None
    }


@contextmanager
def running_server(settings: Settings) -> Iterator[Running]:
    """A server on a free port of this machine."""
    worker, port = Worker(settings, None), free_port()
    config = uvicorn.Config(
        Edge(worker), port=port, loop="uvloop", http=JoinedWrites, access_log=False, log_config=None, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    headers = {"authorization": f"Bearer {KEY}"}
    try:
        Running.until(lambda: server.started)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            yield Running(worker, client)
    finally:
        server.should_exit = True
        thread.join(20)
