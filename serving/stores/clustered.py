"""Redis Cluster for the request path, by redis-py's asyncio client: what `pipelined` is for one server, and dearer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import redis
from redis.asyncio import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException

from contracts.errors import StoreUnavailableError
from contracts.redis_url import node_url
from serving.stores.pipelined import RowReader
from serving.stores.user_reads import Command, Reply


class ClusteredRedis(RowReader):
    """Connections to the nodes of a cluster; while they do not answer, every question fails at once.

    Args:
        url: Any node, as `redis+cluster://`.
        timeout_ms: A question without all its answers for so long fails.
        retry_ms: Between two attempts to reach the cluster.
    """

    def __init__(self, url: str, timeout_ms: int, retry_ms: int) -> None:
        self._timeout, self._retry = timeout_ms / 1000, retry_ms / 1000
        self._url = node_url(url)
        self._client: Any = None
        self._keeper: asyncio.Task[None] | None = None
        self.problem = "Redis has not been reached yet"

    @property
    def is_up(self) -> bool:
        return not self.problem

    async def start(self) -> None:
        """Try once, then keep trying in the background."""
        options = {"socket_timeout": self._timeout, "socket_connect_timeout": self._timeout}
        self._client = RedisCluster.from_url(self._url, retry=Retry(NoBackoff(), 0), **options)
        await self._look()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        await self._client.aclose()
        self.problem = "the worker stops"

    async def ask(self, asked: Sequence[Command]) -> list[Reply]:
        """The answers, in order.

        Raises:
            StoreUnavailableError: the cluster did not answer the last time, or does not now, or refused a command.
        """
        if self.problem:
            raise StoreUnavailableError(self.problem)
        try:
            async with asyncio.timeout(self._timeout):
                return list(await asyncio.gather(*[self._client.execute_command(*command) for command in asked]))
        except redis.ResponseError as error:
            raise StoreUnavailableError(f"Redis refused a command: {error}") from error
        except (redis.RedisError, RedisClusterException, OSError, TimeoutError) as error:
            self.problem = f"Redis did not answer ({str(error) or type(error).__name__})"
            raise StoreUnavailableError(self.problem) from error

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._retry)
            if self.problem:
                await self._look()

    async def _look(self) -> None:
        """Ask every node whether it is there."""
        try:
            async with asyncio.timeout(max(1.0, self._timeout)):
                await self._client.initialize()
                await self._client.ping(target_nodes=RedisCluster.PRIMARIES)
        except (redis.RedisError, RedisClusterException, OSError, TimeoutError) as error:
            self.problem = f"Redis did not answer ({str(error) or type(error).__name__})"
            return
        self.problem = ""
