"""Both stores with a clock that tests set."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore
from tests.serving.learning.histories import BASE_MS


@dataclass
class Clock:
    """Unix milliseconds."""

    at_ms: int = BASE_MS

    def seconds(self) -> float:
        return self.at_ms / 1_000


class ClockedRedis(RedisStore):
    """A real Redis whose streams are timed by a clock of the test."""

    def __init__(self, client: "redis.Redis", clock: Clock) -> None:
        super().__init__(client)
        self.client, self.time = client, clock

    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        last_ms, number = self._last(stream)
        identity = (self.time.at_ms, 0) if self.time.at_ms > last_ms else (last_ms, number + 1)
        self.client.xadd(stream, {b"e": entry}, id="{}-{}".format(*identity), maxlen=max_length)

    def seal(self, stream: str) -> int:
        if not self.client.exists(stream):
            self.client.xadd(stream, {b"e": b""}, id="0-1", maxlen=0, approximate=False)
        last_ms, _ = self._last(stream)
        if last_ms < self.time.at_ms:
            self.client.execute_command("XSETID", stream, f"{self.time.at_ms}-0")
        return max(last_ms, self.time.at_ms)

    def _last(self, stream: str) -> tuple[int, int]:
        if not self.client.exists(stream):
            return 0, 0
        milliseconds, _, number = self.client.xinfo_stream(stream)["last-generated-id"].partition(b"-")
        return int(milliseconds), int(number)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(clock.seconds)
    else:
        with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
            yield ClockedRedis(client, clock)
