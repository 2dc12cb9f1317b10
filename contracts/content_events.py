"""Events of `streamrec.content`: a VOD or clip is published, changed or taken down."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from contracts.events import Id, StreamEvent, Text, decode
from contracts.names import Visibility


class _Described(StreamEvent):
    """A content as its row of `content_v1` will say it; the whole row, also when little of it changed."""

    content_id: Id
    content_kind: Literal["vod", "clip"]
    streamer_id: Id
    creator_id: Id | None = None
    broadcast_id: Id | None = None
    title: Text | None = None
    category: Text | None = None
    language: Text | None = Field(None, description="ISO 639-1")
    duration_seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    published_at: AwareDatetime | None = None
    visibility: Visibility = Visibility.PUBLIC
    min_age: int | None = Field(None, ge=0, le=99, description="Years; 18 for a mature content.")


class ContentPublished(_Described):
    """A content can be watched for the first time."""

    type: Literal["content_published"] = "content_published"


class ContentChanged(_Described):
    """Something of a content is different now: title, category, visibility."""

    type: Literal["content_changed"] = "content_changed"


class ContentTakenDown(StreamEvent):
    """A content must not be shown any more."""

    type: Literal["content_taken_down"] = "content_taken_down"
    content_id: Id


ContentEvent = Annotated[ContentPublished | ContentChanged | ContentTakenDown, Field(discriminator="type")]
_ADAPTER: Final[TypeAdapter[ContentPublished | ContentChanged | ContentTakenDown]] = TypeAdapter(ContentEvent)


def content_event(body: bytes) -> ContentPublished | ContentChanged | ContentTakenDown:
    """The event that an entry of the stream holds.

    Raises:
        EventError
    """
    return decode(_ADAPTER, body)
