"""The runner: stages in order, each timed and counted; what a stage drops or cannot do is written down."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from contracts.errors import StoreUnavailableError
from contracts.names import Surface
from contracts.payload import CandidateColumns
from serving.frame import Frame, Index
from serving.query import LEVELS, Level, Query
from serving.slate import StageRecord
from serving.stages import Filter, Hydrator, Ranking, Reranker, Scorer, Selector, SideEffect, Source

T = TypeVar("T")


@dataclass(frozen=True)
class Wiring:
    """The stages of one surface, in order.

    Args:
        sources: From the user's own list down; the next is asked when those before leave nothing.
        fills: Also ask the next one when those before leave fewer than the request wants.
        lists: Surface whose lists of users and segments are asked, where the surface has none of its own.
    """

    sources: Sequence[Source]
    hydrators: Sequence[Hydrator]
    filters: Sequence[Filter]
    scorer: Scorer
    reranker: Reranker
    selector: Selector
    side_effects: Sequence[SideEffect]
    fills: bool
    lists: Surface | None = None


@dataclass
class Trace:
    """What the stages of one request did."""

    records: list[StageRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self, stage: object, entered: int, work: Callable[[], T], left: Callable[[T], int]) -> T:
        """Do the work of one stage and keep its time and counts."""
        started = time.perf_counter()
        done = work()
        milliseconds = (time.perf_counter() - started) * 1000
        folder = type(stage).__module__.split(".")[1]
        self.records.append(StageRecord(folder, type(stage).__name__, milliseconds, entered, left(done)))
        return done

    def note(self, text: str) -> None:
        if text:
            self.notes.append(text)


@dataclass(frozen=True)
class Outcome:
    """The slate's rows, in order, and how they came about."""

    frame: Frame
    ranking: Ranking
    trace: Trace


def run(wiring: Wiring, query: Query) -> Outcome:
    """All stages but the side effects.

    Raises:
        StoreUnavailableError: the store failed where there is no fallback.
    """
    trace = Trace()
    frame = _gather(wiring, query, trace)
    scores = trace.run(wiring.scorer, len(frame), partial(wiring.scorer.score, frame, query), len)
    ordered = frame.take(_best_first(frame, scores))
    rank = partial(wiring.reranker.rank, ordered, query)
    ranking = trace.run(wiring.reranker, len(ordered), rank, lambda done: len(done.order))
    trace.note(ranking.problem)
    chosen = trace.run(wiring.selector, len(ranking.order), partial(wiring.selector.select, ranking, query), len)
    return Outcome(ordered.take(chosen), ranking, trace)


def run_side_effects(wiring: Wiring, trace: Trace, effect: Callable[[SideEffect], None]) -> None:
    """Every side effect; one that the store refuses is noted and costs nothing else."""
    for side_effect in wiring.side_effects:
        try:
            effect(side_effect)
        except StoreUnavailableError as error:
            trace.note(f"{type(side_effect).__name__} was not done: {error}")


def _gather(wiring: Wiring, query: Query, trace: Trace) -> Frame:
    frame = Frame.of(_nothing(), Level.NONE)
    for source in wiring.sources:
        if len(frame) >= (query.request.limit if wiring.fills else 1):
            break
        fetched = trace.run(source, 0, partial(source.fetch, query), lambda found: len(found.candidates or ()))
        trace.note(fetched.problem)
        if fetched.candidates is not None:
            before = len(frame)
            hydrated = _hydrate(wiring, query, Frame.of(fetched.candidates, source.level), trace)
            frame = _filter(wiring, query, frame.followed_by(hydrated), trace)
            trace.note(_shortage(source, len(frame) - before, len(hydrated), query.request.limit - before))
    return frame


def _shortage(source: Source, kept: int, offered: int, wanted: int) -> str:
    if kept >= wanted:
        return ""
    return f"{kept} of {offered} candidates of the {source.level} list passed the filters; {wanted} were wanted"


def _hydrate(wiring: Wiring, query: Query, frame: Frame, trace: Trace) -> Frame:
    for hydrator in wiring.hydrators:
        frame = trace.run(hydrator, len(frame), partial(hydrator.hydrate, frame, query), len)
    return frame


def _filter(wiring: Wiring, query: Query, frame: Frame, trace: Trace) -> Frame:
    for rule in wiring.filters:
        mask = trace.run(rule, len(frame), partial(rule.keep, frame, query), lambda mask: int(mask.sum()))
        frame = frame.take(mask)
    return frame


def _best_first(frame: Frame, scores: npt.NDArray[np.float32]) -> Index:
    """Nearer lists first; within one, by score, ties as published; NaN and infinity last."""
    sound = np.where(np.isfinite(scores), scores, -np.inf)
    return np.lexsort((-sound, frame.levels))


def _nothing() -> CandidateColumns:
    ids, codes = np.empty(0, np.int64), np.empty(0, np.uint8)
    return CandidateColumns(ids, codes, ids, codes, np.empty(0, np.float32))


def best_level(frame: Frame) -> Level:
    """The nearest list that gave a row."""
    return LEVELS[int(frame.levels.min())] if len(frame) else Level.NONE
