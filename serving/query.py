"""A request, and what is known of its user once the store was asked."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.names import Surface
from serving.stores.protocol import UserRow


class Level(StrEnum):
    """Whose list a slate was made of, best first; `none` is an empty slate.

    `target` is the list of the content that was watched, `channel` that of its streamer.
    """

    TARGET = "target"
    CHANNEL = "channel"
    PERSONAL = "personal"
    SEGMENT = "segment"
    POPULAR = "popular"
    NONE = "none"


LEVELS = tuple(Level)


@dataclass(frozen=True)
class Request:
    """What a caller asked for.

    Args:
        user_id: None for somebody unknown.
        at: The time of the request; an argument, so that a day of the past can be served again.
        after: The content that was watched, on `watch_next`.
    """

    request_id: str
    user_id: int | None
    surface: Surface
    limit: int
    at: datetime
    after: int | None = None

    @property
    def seed(self) -> int:
        """63 bits of the request id: the same request is the same slate."""
        return int.from_bytes(hashlib.blake2b(self.request_id.encode(), digest_size=8).digest()) >> 1


@dataclass(frozen=True)
class Query:
    """A request with its user's state; the generation is resolved once and holds for the whole request.

    Args:
        lists: The surface whose published lists of users and segments are asked.
    """

    request: Request
    generation: str
    user: UserRow
    segment: str
    lists: Surface
