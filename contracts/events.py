"""Events that others send to streamrec, as versioned JSON: one object per event.

`{"version": 1, "request_id": "...", ...}`. A reader takes the versions it knows and refuses everything else by name: an
unknown field, a wrong type, an id beyond 64 bits, seconds that are negative or no number, a time without an offset.
"""

import json
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.errors import EventError, EventVersionError

Event = TypeVar("Event")
Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Text = Annotated[str, Field(max_length=1_000)]
"""Longer is no title: what a worker holds of every broadcast must stay small."""
VERSION: Final = 1
_SHOWN_BYTES: Final = 200


class StreamEvent(BaseModel):
    """One event; an unknown field, a number in quotes or a time without a zone is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    event_time: AwareDatetime

    def to_json(self) -> bytes:
        """One line of JSON; what is unset is left out."""
        return self.model_dump_json(exclude_none=True).encode()


def decode(adapter: TypeAdapter[Event], body: bytes) -> Event:
    """The event that a stream entry holds.

    Raises:
        EventVersionError: of a version that this reader does not know.
        EventError: the entry is not JSON, of no known type, or a field is missing, unknown or out of range.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        _refuse_version(body)
        raise EventError(f"{_reasons(error)}: {body[:_SHOWN_BYTES]!r}; mend the producer, see contracts") from error


def _refuse_version(body: bytes) -> None:
    """What a later version may say is no mistake of this one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    version = found.get("version", VERSION) if isinstance(found, dict) else VERSION
    if type(version) is int and version != VERSION:
        raise EventVersionError(f"an event of version {version}; this reader knows {VERSION}")


def _reasons(error: ValidationError) -> str:
    details: list[Any] = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'event'}: {one['msg']}" for one in details[:3])
