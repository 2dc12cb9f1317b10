"""What the query string asks."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from contracts.errors import InvalidRequestError
from contracts.settings import ServingSettings
from serving.http.cursor import with_cursor
from serving.query import Request
from serving.requests import Asked, to_request

PARAMETERS: Final = ("surface", "limit", "context", "exclude", "cursor", "languages", "viewer_age")

_SHORT_BYTES: Final = 128
"""Longer queries exclude ids or go on from a cursor, and do not come again."""
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
    question = _known(query) if len(query) <= _SHORT_BYTES else _Question.of(query)
    request = to_request(
        Asked(
            request_id,
            question.surface,
            _number("user", user) if user else None,
            question.limit,
            question.context,
            question.excluded,
            question.languages,
            question.viewer_age_years,
        ),
        at,
        settings,
    )
    return with_cursor(request, question.cursor) if question.cursor else request


class _Question(msgspec.Struct, frozen=True):
    """A query string as its words mean it, whoever asks."""

    surface: str
    limit: int | None
    context: int | None
    excluded: tuple[int, ...]
    languages: tuple[str, ...]
    viewer_age_years: int | None
    cursor: str | None

    @classmethod
    def of(cls, query: bytes) -> "_Question":
        said = _parameters(query)
        return cls(
            _surface(said),
            _optional("limit", said),
            _optional("context", said),
            _numbers("exclude", said.get("exclude")),
            _words(said.get("languages")),
            _optional("viewer_age", said),
            said.get("cursor"),
        )


# Most requests ask what others have asked: the surface and the limit of a page.
_known = lru_cache(maxsize=4_096)(_Question.of)


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


def _numbers(name: str, text: str | None) -> tuple[int, ...]:
    return tuple([_number(name, part) for part in text.split(",")]) if text else ()


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
