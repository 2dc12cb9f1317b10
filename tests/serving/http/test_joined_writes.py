"""Answers leave in one write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.http.joined_writes import JoinedWrites

REQUEST = b"GET / HTTP/1.1\r\nhost: edge\r\n\r\n"


class Wire(asyncio.Transport):
    """What a transport was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.told.append(data)

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answers(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:  # noqa: ANN401
    body = scope["path"].encode() * 3
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def exchange(*requests: bytes) -> Wire:
    """What a client that sends these in one go gets."""

    async def go() -> Wire:
        wire = Wire()
        config = uvicorn.Config(answers, http=JoinedWrites, lifespan="off", log_config=None)
        config.load()
        protocol = JoinedWrites(config, ServerState(), {})
        protocol.connection_made(wire)
        protocol.data_received(b"".join(requests))
        for _ in range(20):
            await asyncio.sleep(0)
        return wire

    return asyncio.run(go())


def test_head_and_body_are_one_write() -> None:
    (answer,) = exchange(REQUEST).told
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"///"


def test_requests_in_one_go_are_answered_in_their_order() -> None:
    wire = exchange(REQUEST.replace(b" / ", b" /first "), REQUEST.replace(b" / ", b" /second "))
    whole = b"".join(wire.told)
    assert whole.count(b"HTTP/1.1 200") == 2
    assert whole.index(b"/first/first/first") < whole.index(b"/second/second/second")


@pytest.mark.parametrize(
    "request_", [REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), b"no http\r\n\r\n"]
)
def test_what_was_written_leaves_before_the_connection_is_closed(request_: bytes) -> None:
    wire = exchange(request_)
    assert wire.is_closed
    assert b"".join(wire.told).startswith(b"HTTP/1.1 ")


def test_a_large_answer_arrives_whole(server: Any) -> None:  # noqa: ANN401  the fixture's
    answer: httpx.Response = server.get("/openapi.json")
    assert len(answer.content) == int(answer.headers["content-length"]) > 10_000
