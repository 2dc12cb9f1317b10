"""Answers: a status, a body and its headers; what every named error is to a caller."""

from typing import Final

import msgspec

from contracts.errors import (
    CursorExpiredError,
    InvalidRequestError,
    NoGenerationError,
    SlateNotFoundError,
    StoreUnavailableError,
    StreamrecError,
)
from serving.http.bodies import Problem

Headers = tuple[tuple[bytes, bytes], ...]

JSON: Final = b"application/json"
TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
HTML: Final = b"text/html; charset=utf-8"
encode: Final = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True):
    """A status, its body and its kind."""

    status: int
    body: bytes
    kind: bytes = JSON
    headers: Headers = ()


class RefusedError(Exception):
    """An answer that ends a request early."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def problem(status: int, error: str, message: str, headers: Headers = (), retry_after: int | None = None) -> Reply:
    """What was wrong, as JSON."""
    if retry_after is not None:
        headers = (*headers, (b"retry-after", str(retry_after).encode()))
    return Reply(status, encode(Problem(error, message)), headers=headers)


def named(error: StreamrecError) -> Reply:
    """What a named error is to a caller; one that is none of theirs is a failure."""
    status, code, retry_after = _ANSWERS.get(type(error), (500, "internal", None))
    return problem(status, code, str(error), retry_after=retry_after)


_ANSWERS: Final[dict[type, tuple[int, str, int | None]]] = {
    InvalidRequestError: (400, "invalid_request", None),
    SlateNotFoundError: (404, "unknown_slate", None),
    CursorExpiredError: (410, "cursor_expired", None),
    NoGenerationError: (503, "nothing_published", 5),
    StoreUnavailableError: (503, "store_unavailable", 1),
}
