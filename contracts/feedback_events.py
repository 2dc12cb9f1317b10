"""Events of `streamrec.feedback`: what users did with the items of slates."""

from typing import Annotated, Final, Self

from pydantic import Field, TypeAdapter, model_validator

from contracts.events import Id, StreamEvent, decode
from contracts.names import FeedbackAction, ItemKind

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
"""Of a request or an event; bounded, since whoever sends it chooses it."""


class Feedback(StreamEvent):
    """One thing a user did with an item of a slate; goes to `names.STREAM_FEEDBACK`.

    Args:
        user_id: None when nobody is signed in.
        streamer_id: Whose item it is, where the sender knows.
        watched_seconds: For `play`, so far; of several plays of an item the longest says what it was worth.
        event_time: When it happened; what it counts for goes by when it arrived.
        event_id: The same in every repetition of the event, where the sender repeats.
    """

    request_id: Name
    user_id: Id | None = None
    item_id: Id
    item_kind: ItemKind
    streamer_id: Id | None = None
    action: FeedbackAction
    watched_seconds: Seconds | None = None
    event_id: Name | None = None

    @classmethod
    def from_json(cls, text: bytes) -> "Feedback":
        """The event that an entry of the stream holds.

        Raises:
            EventError
        """
        return decode(_ADAPTER, text)

    @model_validator(mode="after")
    def _seconds_are_of_plays(self) -> Self:
        if self.watched_seconds is not None and self.action is not FeedbackAction.PLAY:
            raise ValueError(f"watched_seconds stands beside {self.action}; only a play has any")
        return self


_ADAPTER: Final = TypeAdapter(Feedback)
