"""What the page shows, worked out of a slate and of what the worker holds."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from contracts.payload import SOURCES
from contracts.settings import BanditSettings
from serving.http.bodies import ExplainedItem, Explanation, Item, Recommendations, StageTime
from serving.http.densities import Plot, plot
from serving.http.explained import explain_slate, posterior_of
from serving.http.replies import to_body
from serving.mirrors.thread import MirrorState
from serving.slate import Slate
from serving.state import State

_DROPS: Final = {"filters", "caps"}
_MOST_LIVE: Final = 30
_WORD: Final = re.compile(r"[A-Z][a-z]+")
COLOURS: Final = {str(source): code for code, source in enumerate(SOURCES)}


@dataclass(frozen=True)
class Stage:
    """All runs of a stage in one request."""

    folder: str
    name: str
    runs: int
    entered: int
    left: int
    dropped: int
    microseconds: float


@dataclass(frozen=True)
class Made:
    """A slate and how it came about.

    Args:
        cards: Each position as callers get it, and how it was chosen.
        plot: None where no bandit had a choice.
    """

    body: Recommendations
    explanation: Explanation
    cards: list[tuple[Item, ExplainedItem]]
    stages: list[Stage]
    plot: Plot | None

    @property
    def microseconds(self) -> float:
        """In all stages."""
        return sum(stage.microseconds for stage in self.stages)

    @property
    def longest(self) -> float:
        """Microseconds of the slowest stage, of which the others' bars are a part."""
        return max((stage.microseconds for stage in self.stages), default=1.0)

    @property
    def most_dropped(self) -> int:
        """Of any stage."""
        return max((stage.dropped for stage in self.stages), default=1)


@dataclass(frozen=True)
class OnAir:
    """A streamer who is live.

    Args:
        share_left: Of the time that a fresh lease has.
    """

    streamer_id: int
    streamer: str | None
    title: str | None
    category: str | None
    language: str | None
    seconds_on: float
    seconds_left: float
    share_left: float


@dataclass(frozen=True)
class Known:
    """What the worker holds now."""

    generation: str | None
    generation_age: float | None
    generation_problem: str
    redis_problem: str
    mirrors: Sequence[MirrorState]
    live_count: int
    live: list[OnAir]

    @property
    def problems(self) -> list[str]:
        """All that went wrong, each once."""
        found = (self.redis_problem, self.generation_problem, *(mirror.last_error for mirror in self.mirrors))
        return list(dict.fromkeys(filter(None, found)))


def made(slate: Slate, settings: BanditSettings) -> Made:
    """Everything there is to see of a slate."""
    body, explanation = to_body(slate), explain_slate(slate, settings)
    ranking = slate.outcome.ranking
    context = (str(slate.query.request.surface), ranking.context)
    chosen = [item.arm for item in explanation.items]
    has_choice = bool(ranking.arm_set.arms) and len(slate) > 0
    posterior = posterior_of(slate.query.state, settings, context)
    return Made(
        body,
        explanation,
        list(zip(body.items, explanation.items, strict=True)),
        stages(explanation.stages),
        plot(posterior, ranking.arm_set, chosen) if has_choice else None,
    )


def stages(records: Iterable[StageTime]) -> list[Stage]:
    """One row per stage, in the order in which they first ran; a stage runs again for each list that is asked."""
    runs: dict[tuple[str, str], list[StageTime]] = {}
    for record in records:
        runs.setdefault((record.stage, record.name), []).append(record)
    return [_stage(folder, name, each) for (folder, name), each in runs.items()]


def _stage(folder: str, name: str, runs: Sequence[StageTime]) -> Stage:
    entered, left = sum(run.entered for run in runs), sum(run.left for run in runs)
    dropped = entered - left if folder in _DROPS else 0
    return Stage(folder, words(name), len(runs), entered, left, dropped, sum(run.microseconds for run in runs))


def words(name: str) -> str:
    """`NotLiveFilter` is `not live`: the folder says what kind of stage it is."""
    parts = _WORD.findall(name)
    return " ".join(parts[:-1]).lower() or name


def known(
    state: State, mirrors: Sequence[MirrorState], redis_problem: str, lease_seconds: float, now: datetime
) -> Known:
    """What a worker holds, and how old it is.

    Args:
        redis_problem: Why Redis is away; empty while it answers.
        lease_seconds: Of a fresh lease.
    """
    published = state.published
    current = published.generations.get(published.current or "")
    at = None if current is None else current.published_at
    return Known(
        published.current,
        None if at is None else max(0.0, (now - at).total_seconds()),
        published.problem,
        redis_problem,
        mirrors,
        len(state.live.live(state.live_now)),
        on_air(state, lease_seconds),
    )


def on_air(state: State, lease_seconds: float) -> list[OnAir]:
    """Who is live, those who began last first."""
    table = state.live.take(state.live.live(state.live_now))
    latest = table.take(np.argsort(-table.started_at, kind="stable")[:_MOST_LIVE])
    left = latest.expires_at - state.live_now
    columns = zip(
        latest.streamer_ids.tolist(),
        state.catalogue.names(latest.streamer_ids),
        latest.titles.tolist(),
        latest.categories.tolist(),
        latest.languages.tolist(),
        np.maximum(0.0, state.live_now - latest.started_at).tolist(),
        left.tolist(),
        np.clip(left / lease_seconds, 0.0, 1.0).tolist(),
        strict=True,
    )
    return [OnAir(*row) for row in columns]
