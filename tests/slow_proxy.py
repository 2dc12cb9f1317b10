"""A TCP proxy in a thread of its own that can hold back what a server says, or cut it in pieces."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.redis_server import free_port


class SlowProxy:
    """Forwards to a port of this machine.

    Args:
        delay_seconds: How long each piece of an answer is held back; may be changed at any time.
        piece: Bytes of an answer that go on at once; 0 sends it whole.
    """

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.delay_seconds, self.piece = 0.0, 0
        self.connections = 0
        self._open: set[asyncio.Task[None] | None] = set()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._forward(reader, writer)
        finally:
            self._open.discard(asyncio.current_task())
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        answers = asyncio.ensure_future(self._answer(back, writer))
        try:
            while part := await reader.read(65_536):
                forth.write(part)
        finally:
            answers.cancel()
            forth.close()

    async def end(self) -> None:
        """Close every connection."""
        tasks = [task for task in self._open if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await back.read(65_536):
            await asyncio.sleep(self.delay_seconds)
            step = self.piece or len(part)
            for start in range(0, len(part), step):
                writer.write(part[start : start + step])
                await writer.drain()
                if self.piece:
                    await asyncio.sleep(0)
        writer.close()


@contextmanager
def slow_proxy(target: int, tls: ssl.SSLContext | None = None, port: int | None = None) -> Iterator[SlowProxy]:
    """A proxy in front of `target`.

    Args:
        tls: How clients are to speak to it.
        port: Where it listens; None for any.
    """
    proxy, started = SlowProxy(target), threading.Event()
    proxy.port = port or proxy.port
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with await asyncio.start_server(proxy.serve, "127.0.0.1", proxy.port, ssl=tls) as server:
            started.set()
            with contextlib.suppress(asyncio.CancelledError):
                await server.serve_forever()
            server.close()
            await proxy.end()

    task = loop.create_task(run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(task), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
