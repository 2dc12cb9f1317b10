"""What the edge says and hears. The OpenAPI document and the client are made of these types.

Ids are decimal strings: JavaScript's numbers end at 2^53, ids at 2^63.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern="^-?[0-9]{1,19}$", description="A 64-bit id in decimal.")]


Kind = Literal["live", "vod", "clip", "streamer"]
"""`contracts.names.ItemKind` in words: on enumerations msgspec leaves a table that Spark cannot pickle."""


class Item(msgspec.Struct, frozen=True):
    """One position of a slate.

    Args:
        source: The process that proposed it.
        score: Comparable within one source of one slate.
        level: Whose list it came from: target, channel, personal, segment or popular.
        list_age_seconds: Since that list was published; null for what is fresher than any list.
        why: For people.
        live_broadcast_id: What the streamer broadcasts now, where the item is a streamer who is live.
    """

    rank: int
    kind: Kind
    id: Id
    streamer_id: Id
    title: str | None
    streamer: str | None
    source: str
    exploration_kind: str | None
    score: float
    level: str
    model_version: str
    list_age_seconds: float | None
    why: str
    live_broadcast_id: Id | None = None


class Degradation(msgspec.Struct, frozen=True):
    """That a slate is not all it should be.

    Args:
        level: The best list that gave items; `none` where no list did.
        reasons: Each step down and everything that could not be done, in words.
        unfiltered: What could not be filtered, because the store did not answer: `seen` and `hidden`.
    """

    level: str
    reasons: list[str]
    unfiltered: list[str]


class Recommendations(msgspec.Struct, frozen=True):
    """A slate.

    Args:
        degraded: Null where the user's own list, or what the surface has in its place, gave every item.
        cursor: For the next page; null where there is none.
    """

    request_id: str
    surface: str
    user_id: Id | None
    segment: str
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    served_at: str
    items: list[Item]
    degraded: Degradation | None
    cursor: str | None


class FeedbackEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a user did with an item.

    Args:
        action: `hide` is for ever, of a content or, with item_kind `streamer`, of all a streamer makes; `dismiss` is
            of this content.
        request_id: Of the slate it happened in; null where it happened elsewhere: the bandit then learns nothing of it.
        watched_seconds: For `play`, so far.
        duration_seconds: Length of what was played, where it has one.
        event_time: ISO time with an offset; when the edge got it, where left out.
        event_id: The same in every repetition, where the caller repeats.
    """

    item_id: Id
    item_kind: Kind
    action: Literal["viewport", "click", "play", "dismiss", "hide"]
    user_id: Id | None = None
    streamer_id: Id | None = None
    request_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    watched_seconds: Annotated[float, Meta(ge=0, le=1e7)] | None = None
    duration_seconds: Annotated[float, Meta(gt=0, le=1e8)] | None = None
    event_time: str | None = None
    event_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some events, oldest first."""

    events: Annotated[list[FeedbackEvent], Meta(min_length=1, max_length=100)]


class Accepted(msgspec.Struct, frozen=True):
    """How many events were taken."""

    accepted: int


class Problem(msgspec.Struct, frozen=True):
    """What was wrong, as a code for programs and a sentence for people."""

    error: str
    message: str


class StageTime(msgspec.Struct, frozen=True):
    """What one stage did."""

    stage: str
    name: str
    microseconds: float
    entered: int
    left: int


class ExplainedItem(msgspec.Struct, frozen=True):
    """A position, how it was chosen and why.

    Args:
        arm: Of the bandit; null where the surface has none.
        propensity: Chance of this arm at this slot, given the slots above, by Monte Carlo.
        posterior_mean: Of the arm.
    """

    rank: int
    kind: str
    id: Id
    streamer_id: Id
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
    """A slate that was served, as it was logged.

    Args:
        is_recomputed: Drawn again from its epoch, seed and arm set, the slate is the same; null where that is gone.
    """

    request_id: str
    surface: str
    context: str
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    seed: str
    served_at: str
    is_recomputed: bool | None
    items: list[ExplainedItem]
    stages: list[StageTime]
    notes: list[str]


class MirrorAge(msgspec.Struct, frozen=True):
    """How old a worker's copy of something is."""

    name: str
    age_seconds: float | None
    problem: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether this worker can answer from what was published."""

    ready: bool
    store: str
    generation: str | None
    mirrors: list[MirrorAge]
