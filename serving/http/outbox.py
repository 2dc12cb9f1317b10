"""Impressions on their way to the stream: many in one write, none of which a request waits for."""

import asyncio
from collections import deque
from typing import Final

from contracts import redis_keys
from contracts.errors import StoreUnavailableError
from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import HttpSettings
from serving.stores.clustered import ClusteredRedis
from serving.stores.pipelined import PipelinedRedis, raised
from serving.stores.redis_feeds import STREAM_FIELD
from serving.stores.user_reads import Command

_AT_ONCE: Final = 200


class Outbox:
    """A queue of bounded length in front of the stream.

    What a store that is away does not take stays and is tried again; a write whose answer was lost may then stand in
    the stream twice, under one request id, and readers count it once. When the queue is full the oldest are dropped and
    counted. A worker that is killed loses what came in its last `flush_ms`.

    Args:
        stream_length: Entries kept in the stream.
    """

    def __init__(self, redis: PipelinedRedis | ClusteredRedis, settings: HttpSettings, stream_length: int) -> None:
        self._redis, self._settings, self._stream_length = redis, settings, stream_length
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self.sent = self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, request_id: str, entry: bytes) -> None:
        """Take an entry; it is sent within `flush_ms`."""
        if len(self._waiting) >= self._settings.impressions_waiting:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append((request_id, entry))

    def start(self) -> None:
        self._sender = asyncio.get_running_loop().create_task(self._send_for_ever())

    async def stop(self) -> None:
        """Send what waits, if the store is there, and end."""
        if self._sender is not None:
            self._sender.cancel()
        while self._waiting and await self._send():
            pass
        self.lost += len(self._waiting)
        self._waiting.clear()

    async def _send_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.flush_ms / 1000)
            while self._waiting and await self._send():
                pass

    async def _send(self) -> bool:
        """Send some; says whether the store took them."""
        batch = [self._waiting[place] for place in range(min(len(self._waiting), _AT_ONCE))]
        try:
            identities = raised(await self._redis.ask([self._appended(entry) for _, entry in batch]))
            # Where this fails, a slate cannot be explained: no reason to send it again.
            for _ in batch:
                self._waiting.popleft()
            self.sent += len(batch)
            await self._redis.ask(self._indexed([request for request, _ in batch], identities))
        except StoreUnavailableError:
            return False
        return True

    def _appended(self, entry: bytes) -> Command:
        return "XADD", STREAM_IMPRESSIONS, "MAXLEN", "~", self._stream_length, "*", STREAM_FIELD, entry

    def _indexed(self, requests: list[str], identities: list[bytes]) -> list[Command]:
        seconds = self._settings.explain_seconds
        return [
            ("SET", redis_keys.served_slate(request), identity, "EX", seconds)
            for request, identity in zip(requests, identities, strict=True)
        ]
