"""Events of `streamrec.live`: a broadcast begins, is still on, ends."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from contracts.events import Id, StreamEvent, Text, decode


class _OnAir(StreamEvent):
    """What is said of a broadcast that is on.

    A heartbeat that says nothing of title, category, language and age leaves them as they are; one that says anything
    says all of it.
    """

    streamer_id: Id
    broadcast_id: Id
    started_at: AwareDatetime | None = Field(None, description="Start of the broadcast; the event's time if left out.")
    title: Text | None = None
    category: Text | None = None
    language: Text | None = Field(None, description="ISO 639-1")
    min_age: int | None = Field(None, ge=0, le=99, description="Years; 18 for a mature broadcast.")


class GoLive(_OnAir):
    """A broadcast begins."""

    type: Literal["go_live"] = "go_live"


class Heartbeat(_OnAir):
    """A broadcast is still on; sent more often than a lease lasts."""

    type: Literal["heartbeat"] = "heartbeat"


class EndLive(StreamEvent):
    """A broadcast has ended, for good: one that goes on has a new id."""

    type: Literal["end_live"] = "end_live"
    streamer_id: Id
    broadcast_id: Id


LiveEvent = Annotated[GoLive | Heartbeat | EndLive, Field(discriminator="type")]
_ADAPTER: Final[TypeAdapter[GoLive | Heartbeat | EndLive]] = TypeAdapter(LiveEvent)


def live_event(body: bytes) -> GoLive | Heartbeat | EndLive:
    """The event that an entry of the stream holds.

    Raises:
        EventError
    """
    return decode(_ADAPTER, body)
