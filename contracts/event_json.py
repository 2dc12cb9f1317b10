"""What events of every stream have in common: one JSON object, checked strictly, with a version and a time."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.errors import EventError

Event = TypeVar("Event")
Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Text = Annotated[str, Field(max_length=1_000)]
"""Longer is no title: what a worker holds of every broadcast must stay small."""
_SHOWN_BYTES = 200


class StreamEvent(BaseModel):
    """One event; an unknown field, a number in quotes or a time without a zone is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    event_time: AwareDatetime

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


def decode(adapter: TypeAdapter[Event], body: bytes) -> Event:
    """The event that a stream entry holds.

    Raises:
        EventError: the entry is not JSON, of no known type or version, or a field is missing, unknown or out of range.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise EventError(f"{_reasons(error)}: {body[:_SHOWN_BYTES]!r}; mend the producer, see contracts") from error


def _reasons(error: ValidationError) -> str:
    details: list[Any] = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'event'}: {one['msg']}" for one in details[:3])
