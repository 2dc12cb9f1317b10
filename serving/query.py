"""A request, and what is known of its user once the store was asked."""

import hashlib
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec

from contracts.names import Segment, Surface
from contracts.payload import Ids
from contracts.unpacking import NO_IDS
from serving.state import Generation, State
from serving.stores.user_reads import UserRow


class Level(StrEnum):
    """Whose list a slate was made of, best first; `none` is an empty slate.

    `target` is the list of the content or streamer that the request names, `channel` that of the content's streamer.
    """

    TARGET = "target"
    CHANNEL = "channel"
    PERSONAL = "personal"
    SEGMENT = "segment"
    POPULAR = "popular"
    NONE = "none"


LEVELS = tuple(Level)


class Request(msgspec.Struct, frozen=True, dict=True):
    """What a caller asked for.

    Args:
        user_id: None for somebody unknown.
        at: The time of the request; an argument, so that a day of the past can be served again.
        context: The content that was watched, on `watch_next`; the streamer, on the surfaces of one.
        excluded: (E,) ids that the caller does not want, ascending; on `home_live`, of broadcasts.
        served: (P,) ids of the pages before this one, ascending.
        generation: Of the pages before this one; None on the first.
        languages: Of contents and broadcasts; empty for all. What has no language is always shown.
        viewer_age_years: None where the caller does not know.
    """

    request_id: str
    user_id: int | None
    surface: Surface
    limit: int
    at: datetime
    context: int | None = None
    excluded: Ids = NO_IDS
    served: Ids = NO_IDS
    generation: str | None = None
    languages: frozenset[str] = frozenset()
    viewer_age_years: int | None = None

    @cached_property
    def served_at(self) -> str:
        """ISO time."""
        return self.at.isoformat()

    @cached_property
    def seed(self) -> int:
        """63 bits of the request id: the same request is the same slate."""
        return int.from_bytes(hashlib.blake2b(self.request_id.encode(), digest_size=8).digest()) >> 1


class Query(msgspec.Struct, frozen=True):
    """A request with its user's state; the generation is resolved once and holds for the whole request.

    Args:
        lists: The surface whose published lists of users and segments are asked.
        state: What this worker knows of everything that is not the user's.
        problem: Why the store could not be asked; empty where it was.
    """

    request: Request
    generation: Generation
    user: UserRow
    lists: Surface
    state: State
    problem: str = ""

    @property
    def user_id(self) -> int | None:
        """Who asks; nobody, where the user was erased."""
        return None if self.user.is_erased else self.request.user_id

    @property
    def segment(self) -> Segment:
        """The context of the bandit and of fallback lists."""
        if self.user.known is not None:
            return self.user.known.segment
        # Somebody we know no segment of is new; somebody who did not say who they are is everybody.
        return Segment.ALL if self.user_id is None or self.problem else Segment.NEW
