"""Events that others send to streamrec, as versioned JSON: one object per event.

`{"version": 1, "request_id": "...", ...}`. A reader takes the versions it knows and refuses everything else by name: an
unknown field, a wrong type, an id beyond 64 bits, seconds that are negative or no number, a time without an offset.
"""

import json
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.errors import EventError, EventVersionError
from contracts.names import FeedbackAction, ItemKind

Identity = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
"""Of a request or an event; bounded, since whoever sends it chooses it."""


class Event(BaseModel):
    """What events have in common: immutable, strict, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    VERSION: ClassVar[int] = 1

    version: int = 1

    def to_json(self) -> bytes:
        """One line of JSON; what is unset is left out."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """The event.

        Raises:
            EventVersionError: of a version that this reader does not know.
            EventError: not JSON, or not an event of this kind.
        """
        try:
            event = cls.model_validate_json(text)
        except ValidationError as error:
            cls._refuse_version(text)
            raise EventError(f"{cls.__name__}: {_first_problem(error)}; mend the sender, see contracts") from error
        cls._check_version(event.version)
        return event

    @classmethod
    def _refuse_version(cls, text: bytes) -> None:
        """What a later version may say is no mistake of this one."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(found, dict) and isinstance(version := found.get("version"), int):
            cls._check_version(version)

    @classmethod
    def _check_version(cls, version: int) -> None:
        if version != cls.VERSION:
            raise EventVersionError(f"{cls.__name__} of version {version}; this reader knows {cls.VERSION}")


class Feedback(Event):
    """One thing a user did with an item of a slate; goes to `names.STREAM_FEEDBACK`.

    Args:
        user_id: None when nobody is signed in.
        streamer_id: Whose item it is, where the sender knows.
        watched_seconds: For `play`, so far; of several plays of an item the longest says what it was worth.
        event_time: When it happened; what it counts for goes by when it arrived.
        event_id: The same in every repetition of the event, where the sender repeats.
    """

    request_id: Name
    user_id: Identity | None = None
    item_id: Identity
    item_kind: ItemKind
    streamer_id: Identity | None = None
    action: FeedbackAction
    watched_seconds: Seconds | None = None
    event_time: AwareDatetime
    event_id: Name | None = None

    @model_validator(mode="after")
    def _seconds_are_of_plays(self) -> Self:
        if self.watched_seconds is not None and self.action is not FeedbackAction.PLAY:
            raise ValueError(f"watched_seconds stands beside {self.action}; only a play has any")
        return self


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
