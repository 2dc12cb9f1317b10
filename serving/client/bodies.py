"""What a client gets and says: the bodies of the edge with ids as ints and times as times.

On the wire ids are strings; a decoder that is not strict reads them as what stands here. A test compares the fields
with those of `serving.http.bodies`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from serving.http.bodies import Degradation, Feedback, FeedbackEvent, Kind, StageTime

Action = Literal["viewport", "click", "play", "dismiss", "hide"]


class Item(msgspec.Struct, frozen=True):
    """One position of a slate; `serving.http.bodies.Item` says what each field is."""

    rank: int
    kind: Kind
    id: int
    streamer_id: int
    title: str | None
    streamer: str | None
    source: str
    exploration_kind: str | None
    score: float
    level: str
    model_version: str
    list_age_seconds: float | None
    why: str
    live_broadcast_id: int | None = None


class Recommendations(msgspec.Struct, frozen=True):
    """A slate.

    Args:
        degraded: How it falls short of what it should be; None where it does not.
        cursor: For the next page; None where there is none.
    """

    request_id: str
    surface: str
    user_id: int | None
    segment: str
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    served_at: datetime
    items: list[Item]
    degraded: Degradation | None
    cursor: str | None


class ExplainedItem(msgspec.Struct, frozen=True):
    """A position, how it was chosen and why."""

    rank: int
    kind: str
    id: int
    streamer_id: int
    title: str | None
    streamer: str | None
    source: str
    score: float
    level: str
    arm: str | None
    propensity: float | None
    posterior_mean: float | None
    why: str


class Explanation(msgspec.Struct, frozen=True):
    """A slate that was served, as it was logged."""

    request_id: str
    surface: str
    context: str
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    seed: int
    served_at: datetime
    is_recomputed: bool | None
    items: list[ExplainedItem]
    stages: list[StageTime]
    notes: list[str]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something a user did with an item; `serving.http.bodies.FeedbackEvent` says what each field is.

    Args:
        event_time: With an offset; when the edge gets it, where left out.
        event_id: Where every event of a call has one, the client repeats the call by itself when it has to.
    """

    item_id: int
    item_kind: Kind
    action: Action
    user_id: int | None = None
    streamer_id: int | None = None
    request_id: str | None = None
    watched_seconds: float | None = None
    duration_seconds: float | None = None
    event_time: datetime | None = None
    event_id: str | None = None


def to_wire(events: Sequence[Event]) -> bytes:
    """The body of a feedback call."""
    return msgspec.json.encode(Feedback([_to_wire(event) for event in events]))


def _to_wire(event: Event) -> FeedbackEvent:
    return FeedbackEvent(
        item_id=str(event.item_id),
        item_kind=event.item_kind,
        action=event.action,
        user_id=None if event.user_id is None else str(event.user_id),
        streamer_id=None if event.streamer_id is None else str(event.streamer_id),
        request_id=event.request_id,
        watched_seconds=event.watched_seconds,
        duration_seconds=event.duration_seconds,
        event_time=None if event.event_time is None else event.event_time.isoformat(),
        event_id=event.event_id,
    )
