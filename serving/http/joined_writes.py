"""Head and body of an answer in one write: uvicorn writes them one by one, each a system call and a packet."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoinedWrites(HttpToolsProtocol):
    """uvicorn's protocol on a transport that writes once per turn of the event loop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, _Joined(cast(asyncio.Transport, transport), self.loop)))


class _Joined:
    """A transport that keeps what is written until the loop's next turn, or until it is closed."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._kept: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)

    def close(self) -> None:
        """Write what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, []
            if not self._transport.is_closing():
                self._transport.write(b"".join(kept))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever else a transport can do
        return getattr(self._transport, name)
