"""One worker: its connections, its mirrors, and what it answers with."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contracts import redis_keys
from contracts.errors import StoreUnavailableError
from contracts.redis_url import is_cluster
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from serving.http.bodies import Explanation
from serving.http.explained import explain
from serving.http.keys import Callers
from serving.http.metrics import Metrics
from serving.http.outbox import Outbox
from serving.impressions import to_entry
from serving.mirrored import Mirrored
from serving.query import Request
from serving.recommend import Recommender
from serving.slate import Slate
from serving.stores.clustered import ClusteredRedis
from serving.stores.pipelined import PipelinedRedis, raised
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import UserRow


class Worker:
    """Everything that one process of the edge holds.

    Args:
        metrics_folder: As `Metrics` has it.
    """

    def __init__(self, settings: Settings, metrics_folder: str | None) -> None:
        http = settings.http
        self.settings = settings
        self.metrics = Metrics(metrics_folder)
        self.callers = Callers(http.api_keys, http.requests_per_second, time.monotonic()) if http.needs_key else None
        connection = ClusteredRedis if is_cluster(settings.redis.url) else PipelinedRedis
        self.redis = connection(settings.redis.url, settings.redis.timeout_ms, http.retry_ms)
        self.outbox = Outbox(self.redis, http, settings.serving.stream_max_length)
        patient = RedisStore.open(settings.redis.url, settings.mirrors.timeout_ms)
        self.mirrored = Mirrored(settings, Warehouse(settings.warehouse_path), patient)
        self._recommender = Recommender(settings)
        self._store = RedisStore.open(settings.redis.url, settings.redis.timeout_ms)
        self._ticker: asyncio.Task[None] | None = None
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def start(self) -> None:
        """Come up; without Redis, too: what it holds is asked for in the background."""
        await self.redis.start()
        self.outbox.start()
        self.mirrored.start()
        await asyncio.to_thread(self.mirrored.wait_until_loaded, self.settings.http.start_seconds)
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        await self.outbox.stop()
        await self.redis.stop()
        await asyncio.to_thread(self.mirrored.stop)
        self.hand_over()

    async def recommend(self, request: Request) -> Slate:
        """A slate, logged and counted.

        Raises:
            InvalidRequestError, NoGenerationError, CursorExpiredError
        """
        started = time.perf_counter()
        slate = await self.preview(request)
        if len(slate):
            self.outbox.put(request.request_id, to_entry(slate))
        self.metrics.served(slate, time.perf_counter() - started)
        return slate

    async def preview(self, request: Request) -> Slate:
        """The slate that `recommend` would give, of which the bandit learns nothing.

        Raises:
            InvalidRequestError, NoGenerationError, CursorExpiredError
        """
        asking = self._recommender.ask(request, self.mirrored.state())
        try:
            user, problem = await self.redis.read(asking.plan), ""
        except StoreUnavailableError as error:
            user, problem = UserRow(), str(error)
        return self._recommender.answer(asking, user, problem)

    async def erased_among(self, users: Sequence[int]) -> set[int]:
        """Those of the users who were erased.

        Raises:
            StoreUnavailableError
        """
        if not users:
            return set()
        answers = raised(await self.redis.ask([("EXISTS", redis_keys.erased(user)) for user in users]))
        return {user for user, is_erased in zip(users, answers, strict=True) if is_erased}

    async def explain(self, request_id: str) -> Explanation:
        """How a slate came about.

        Raises:
            SlateNotFoundError, StoreUnavailableError
        """
        state = self.mirrored.state()
        return await asyncio.to_thread(explain, self._store, self.settings.bandit, state, request_id)

    def hand_over(self) -> None:
        """Give the metrics what was counted."""
        self.metrics.hand_over(self.outbox.sent, self.outbox.lost, self.redis.is_up, self.mirrored.states())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.hand_over()
