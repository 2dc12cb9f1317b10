"""What the query string asks."""

import re
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from contracts.errors import InvalidRequestError
from contracts.settings import ServingSettings
from serving.http.cursor import with_cursor
from serving.query import Request
from serving.requests import Asked, to_request

PARAMETERS: Final = ("surface", "limit", "context", "exclude", "cursor", "languages", "viewer_age")

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def checked_request_id(text: str) -> str:
    """The request id itself.

    Raises:
        InvalidRequestError: it could not be a part of a path and of a key.
    """
    if not _REQUEST_ID.fullmatch(text):
        raise InvalidRequestError("a request id has 1 to 64 letters, digits, dots, dashes and underscores")
    return text


def to_question(request_id: str, user: str, query: bytes, at: datetime, settings: ServingSettings) -> Request:
    """The request of a path and its query string.

    Args:
        user: The last part of the path; empty for nobody known.

    Raises:
        InvalidRequestError
    """
    said = _parameters(query)
    asked = Asked(
        request_id,
        _surface(said),
        _number("user", user) if user else None,
        _optional("limit", said),
        _optional("context", said),
        _numbers("exclude", said.get("exclude")),
        _words(said.get("languages")),
        _optional("viewer_age", said),
    )
    request = to_request(asked, at, settings)
    return with_cursor(request, said["cursor"]) if said.get("cursor") else request


def _parameters(query: bytes) -> dict[str, str]:
    try:
        text = query.decode("ascii")
        pairs = _plain_pairs(text) or parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise InvalidRequestError("the query string is not percent-encoded UTF-8") from error
    said: dict[str, str] = dict(pairs)
    if len(said) != len(pairs):
        raise InvalidRequestError("a parameter stands twice; lists are written with commas")
    unknown = said.keys() - set(PARAMETERS)
    if unknown:
        raise InvalidRequestError(f"unknown parameter `{min(unknown)}`; known are {', '.join(PARAMETERS)}")
    return said


def _plain_pairs(text: str) -> list[list[str]] | None:
    """The pairs of a query in which nothing is encoded, as nearly all are; a fifth of the library's time."""
    if "%" in text or "+" in text:
        return None
    pairs = [pair.split("=") for pair in text.split("&")]
    return pairs if all(len(pair) == 2 for pair in pairs) else None


def _surface(said: dict[str, str]) -> str:
    try:
        return said["surface"]
    except KeyError as error:
        raise InvalidRequestError("the parameter `surface` is missing") from error


def _number(name: str, text: str) -> int:
    # Python reads more as a number than a caller can mean: spaces, underscores, digits of other scripts.
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19):
        raise InvalidRequestError(f"`{name}` is not a whole number of 64 bits")
    return int(text)


def _optional(name: str, said: dict[str, str]) -> int | None:
    return _number(name, said[name]) if name in said else None


def _numbers(name: str, text: str | None) -> list[int]:
    return [_number(name, part) for part in text.split(",")] if text else []


def _words(text: str | None) -> list[str]:
    return text.split(",") if text else []
