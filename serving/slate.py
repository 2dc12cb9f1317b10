"""The answer to a request."""

from dataclasses import dataclass
from datetime import datetime

from serving.query import Level


@dataclass(frozen=True)
class StageRecord:
    """What one stage did: how long it took, how many candidates came in and went on."""

    stage: str
    name: str
    milliseconds: float
    entered: int
    left: int


@dataclass(frozen=True)
class SlateItem:
    """One position."""

    rank: int
    kind: str
    item_id: int
    streamer_id: int
    title: str | None
    streamer: str | None
    source: str
    exploration_kind: str | None
    score: float
    level: Level
    why: str


@dataclass(frozen=True)
class Slate:
    """What a request got, and why it looks as it does.

    Args:
        level: The best list that gave items.
        notes: Every step down from the user's own list and everything that did not work, in words.
        arms: With `counts`, the arm set of the bandit, in slate order; `parents` and `features` belong to it, too.
    """

    request_id: str
    user_id: int | None
    surface: str
    segment: str
    level: Level
    notes: tuple[str, ...]
    generation: str
    model_version: str
    policy_id: str
    posterior_epoch: int
    seed: int
    arms: tuple[str, ...]
    counts: tuple[int, ...]
    served_at: datetime
    items: tuple[SlateItem, ...]
    stages: tuple[StageRecord, ...]
    parents: tuple[tuple[str, ...], ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
