"""Redis for the request path: commands of many requests on one connection, answered in order.

redis-py's asyncio client spends 63 microseconds of a core on a request's commands with four at a time, this 8 (2 cores,
2026-11-22, `benchmarks/redis_clients.py`): no pool, no command objects, one write for all requests of a turn of the
event loop. Parsing is hiredis's and URLs are redis-py's.
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

import hiredis
import redis
from redis.asyncio import SSLConnection
from redis.connection import parse_url

from contracts.errors import SettingsError, StoreUnavailableError
from serving.stores.user_reads import Command, ReadPlan, Reply, UserRow, commands, decode

_TICK_SECONDS: Final = 0.005
"""Between two looks for a missing answer."""
_CLOSED: Final = "the connection to Redis is closed"


_pack = cast(Callable[[Command], bytes], hiredis.pack_command)


class _Waiting:
    """A request's commands on their way."""

    __slots__ = ("answers", "count", "future", "sent_at")

    def __init__(self, count: int, future: "asyncio.Future[list[Reply]]", sent_at: float) -> None:
        self.count, self.future, self.sent_at = count, future, sent_at
        self.answers: list[Reply] = []


class _Connection(asyncio.Protocol):
    """One socket. Answers come in the order of the commands, so a queue tells whose each is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lost: Callable[["_Connection", str], None]) -> None:
        self._loop, self._lost = loop, lost
        self._reader = hiredis.Reader(notEnoughData=...)
        self._waiting: deque[_Waiting] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost(self, str(exc) if exc else _CLOSED)
        self._fail(str(exc) if exc else _CLOSED)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        waiting = self._waiting
        while (answer := self._reader.gets()) is not ...:
            first = waiting[0]
            first.answers.append(answer)
            if len(first.answers) == first.count:
                waiting.popleft()
                if not first.future.done():
                    first.future.set_result(first.answers)

    def ask(self, asked: Sequence[Command]) -> "asyncio.Future[list[Reply]]":
        """The answers, in order; an error answer is an exception among them."""
        future: asyncio.Future[list[Reply]] = self._loop.create_future()
        if self._transport is None:
            future.set_exception(StoreUnavailableError(_CLOSED))
            return future
        self._waiting.append(_Waiting(len(asked), future, self._loop.time()))
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent += map(_pack, asked)
        return future

    def late(self, seconds: float) -> _Waiting | None:
        """The oldest question, if it is without an answer for so long."""
        oldest = self._waiting[0] if self._waiting else None
        return oldest if oldest is not None and self._loop.time() - oldest.sent_at > seconds else None

    def abort(self, reason: str) -> None:
        """Give up all that waits."""
        self._fail(reason)
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _fail(self, reason: str) -> None:
        while self._waiting:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_exception(StoreUnavailableError(f"Redis did not answer ({reason})"))


class RowReader(ABC):
    """Reads a request's row by whatever connection answers commands."""

    @abstractmethod
    def ask(self, asked: Sequence[Command]) -> Awaitable[list[Reply]]:
        """The answers, in order.

        Raises:
            StoreUnavailableError: at once or when awaited.
        """

    async def read(self, plan: ReadPlan) -> UserRow:
        """What `serving.stores.protocol.UserStore.read` gives.

        Raises:
            StoreUnavailableError
        """
        asked = commands(plan)
        return decode(plan, raised(await self.ask(asked)) if asked else ())


class PipelinedRedis(RowReader):
    """A connection that is kept up in the background; while it is down, every question fails at once.

    Args:
        url: As redis-py has it, the options of TLS included (`rediss://...?ssl_ca_certs=...`).
        timeout_ms: A question without an answer for so long fails, with all that wait behind it.
        retry_ms: Between two attempts to connect.

    Raises:
        SettingsError: a certificate or a key of the url cannot be read.
    """

    def __init__(self, url: str, timeout_ms: int, retry_ms: int) -> None:
        self._address: dict[str, Any] = dict(parse_url(url))
        self._tls = _tls(self._address)
        self._timeout, self._retry = timeout_ms / 1000, retry_ms / 1000
        self._connection: _Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.problem = "Redis has not been reached yet"

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    async def start(self) -> None:
        """Try once, then keep trying in the background."""
        await self._connect()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        if self._connection is not None:
            self._connection.abort("the worker stops")
        self._connection = None

    def ask(self, asked: Sequence[Command]) -> "asyncio.Future[list[Reply]]":
        """The answers, in order.

        Raises:
            StoreUnavailableError: there is no connection, at once; or, from the future, no answer in time.
        """
        if self._connection is None:
            raise StoreUnavailableError(self.problem)
        return self._connection.ask(asked)

    async def _keep(self) -> None:
        """Look for late answers; connect again where the connection is gone."""
        known: _Waiting | None = None
        while True:
            await asyncio.sleep(_TICK_SECONDS if self._connection is not None else self._retry)
            if self._connection is None:
                await self._connect()
                continue
            late = self._connection.late(self._timeout - 2 * _TICK_SECONDS)
            # At two looks: where this process has stood still itself, the answer is there at the second.
            if late is not None and late is known:
                self._give_up(f"no answer within {self._timeout * 1000:g} ms")
            known = late

    def _lost(self, connection: _Connection, reason: str) -> None:
        """The end of a connection, which may be one that was given up before."""
        if connection is self._connection:
            self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        connection, self._connection = self._connection, None
        self.problem = f"Redis did not answer ({reason})"
        if connection is not None:
            connection.abort(reason)

    async def _connect(self) -> None:
        """Connect and hear an answer, both in time; otherwise stay down."""
        connection = _Connection(asyncio.get_running_loop(), self._lost)
        try:
            async with asyncio.timeout(self._timeout):
                await self._open(connection)
                raised(await connection.ask(self._greeting()))
        except (OSError, TimeoutError, StoreUnavailableError) as error:
            self.problem = f"Redis did not answer ({str(error) or type(error).__name__})"
            connection.abort(self.problem)
            return
        self._connection, self.problem = connection, ""

    async def _open(self, connection: _Connection) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        if "path" in address:
            await loop.create_unix_connection(lambda: connection, address["path"])
        else:
            host, port = address.get("host", "localhost"), address.get("port", 6379)
            await loop.create_connection(lambda: connection, host, port, ssl=self._tls)

    def _greeting(self) -> list[Command]:
        greeting: list[Command] = []
        if "password" in self._address:
            user = self._address.get("username")
            greeting.append(("AUTH", *([user] if user else []), self._address["password"]))
        if self._address.get("db"):
            greeting.append(("SELECT", self._address["db"]))
        return [*greeting, ("PING",)]


def _tls(address: Mapping[str, Any]) -> ssl.SSLContext | None:
    """What redis-py makes of a url's options; None where it names no TLS."""
    kind = address.get("connection_class")
    if kind is None or not issubclass(kind, redis.SSLConnection):
        return None
    options = {name: value for name, value in address.items() if name.startswith("ssl_")}
    try:
        return SSLConnection(**options).ssl_context.get()
    except (OSError, redis.RedisError) as error:
        raise SettingsError(f"redis.url: TLS cannot be set up as its options say: {error}") from error


def raised(answers: list[Reply]) -> list[Reply]:
    """The answers, where none of them is an error.

    Raises:
        StoreUnavailableError: the first error among them.
    """
    for answer in answers:
        if isinstance(answer, hiredis.ReplyError):
            raise StoreUnavailableError(f"Redis refused a command: {answer}")
    return answers
