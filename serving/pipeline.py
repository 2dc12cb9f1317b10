"""The runner: stages in order, each timed and counted; what a stage drops or cannot do is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.names import Surface
from contracts.payload import nothing
from serving.frame import Frame, Index, Mask
from serving.kernels import is_best_first
from serving.query import LEVELS, Level, Query
from serving.stages import Cap, Filter, Hydrator, Ranking, Reranker, Scorer, Source

StageRecord: TypeAlias = tuple[str, str, int, int, int]
"""What one stage did: stage, name, nanoseconds, candidates that came in, candidates that went on."""


@dataclass(frozen=True)
class Wiring:
    """The stages of one surface, in order.

    Args:
        lanes: Asked for every request, beside the first source that has something.
        sources: From the user's own list down; the next is asked when those before leave nothing.
        filters: Look at each candidate by itself.
        caps: Look at what is left of all lists together.
        fills: Also ask the next source when those before leave fewer than the request wants.
        targets: Surfaces whose lists of the request's context are read; None where the request has no context.
        learns_target: The bandit's context is what the request names, not the user's segment.
        lists: Surface whose lists of users and segments are asked, where the surface has none of its own.
    """

    sources: Sequence[Source]
    hydrators: Sequence[Hydrator]
    filters: Sequence[Filter]
    caps: Sequence[Cap]
    scorer: Scorer
    reranker: Reranker
    fills: bool
    lanes: Sequence[Source] = ()
    targets: Sequence[Surface] | None = None
    learns_target: bool = False
    lists: Surface | None = None


class Trace(msgspec.Struct):
    """What the stages of one request did."""

    records: list[StageRecord] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)

    def record(self, stage: object, started: int, entered: int, left: int) -> None:
        """Keep the time since `started` and the counts of a stage that has just ended."""
        spent = perf_counter_ns() - started
        kind = type(stage)
        folder = _FOLDERS.get(kind) or _folder(kind)
        self.records.append((folder, kind.__name__, spent, entered, left))

    def note(self, text: str) -> None:
        if text:
            self.notes.append(text)


class Outcome(msgspec.Struct, frozen=True):
    """The slate's rows, in order, and how they came about."""

    frame: Frame
    ranking: Ranking
    trace: Trace


def run(wiring: Wiring, query: Query) -> Outcome:
    """All stages of a request whose user has been read."""
    trace = Trace(notes=[*([query.problem] if query.problem else ()), *query.user.problems, *query.state.problems])
    frame = _gather(wiring, query, trace)
    started = perf_counter_ns()
    scores = wiring.scorer.score(frame, query)
    trace.record(wiring.scorer, started, len(frame), len(scores))
    ordered = frame if is_best_first(frame.levels, scores) else frame.take(_best_first(frame, scores))
    started = perf_counter_ns()
    ranking = wiring.reranker.rank(ordered, query)
    trace.record(wiring.reranker, started, len(ordered), len(ranking.order))
    trace.note(ranking.problem)
    return Outcome(ordered.take(ranking.order), ranking, trace)


def _gather(wiring: Wiring, query: Query, trace: Trace) -> Frame:
    """The candidates that may be shown: of every lane, and of as many sources as the request needs."""
    frame, limit = _EMPTY, query.request.limit
    for lane in wiring.lanes:
        frame, _ = _joined(wiring, frame, lane, query, trace)
    of_lanes = len(frame)
    wanted = max(limit if wiring.fills else 0, of_lanes + 1)
    for source in wiring.sources:
        before = len(frame)
        if before >= wanted:
            break
        frame, is_asked = _joined(wiring, frame, source, query, trace)
        if is_asked and len(frame) < limit:
            trace.note(
                f"{len(frame) - before} candidates of the {source.level} list passed the filters; "
                f"{limit - before} were wanted"
            )
    return frame


def _joined(wiring: Wiring, frame: Frame, source: Source, query: Query, trace: Trace) -> tuple[Frame, bool]:
    """The frame, behind it what may be shown of a source's candidates; and whether the source had any."""
    started = perf_counter_ns()
    fetched = source.fetch(query)
    trace.record(source, started, 0, len(fetched.candidates) if fetched.candidates is not None else 0)
    trace.note(fetched.problem)
    if fetched.candidates is None:
        return frame, False
    offered = Frame.of(fetched.candidates, source.level)
    for hydrator in wiring.hydrators:
        started = perf_counter_ns()
        offered = hydrator.hydrate(offered, query)
        trace.record(hydrator, started, len(offered), len(offered))
    may = _filtered(wiring.filters, offered, query, trace)
    if len(frame):
        may = np.concatenate([np.ones(len(frame), bool), may])
        offered = frame.followed_by(offered)
    may = _capped(wiring.caps, offered, may, query, trace)
    return offered.take(may), True


def _filtered(filters: Sequence[Filter], frame: Frame, query: Query, trace: Trace) -> Mask:
    """What passes all; each filter's drops are counted among what those before it left."""
    may, left = np.ones(len(frame), bool), len(frame)
    for rule in filters:
        started, entered = perf_counter_ns(), left
        mask = rule.keep(frame, query)
        if mask is not None:
            may &= mask
            left = int(np.count_nonzero(may))
        trace.record(rule, started, entered, left)
    return may


def _capped(caps: Sequence[Cap], frame: Frame, may: Mask, query: Query, trace: Trace) -> Mask:
    """What may stay beside what stands above it, cap after cap."""
    left = int(np.count_nonzero(may))
    for cap in caps:
        started, entered = perf_counter_ns(), left
        may = cap.keep(frame, may, query)
        left = int(np.count_nonzero(may))
        trace.record(cap, started, entered, left)
    return may


def _best_first(frame: Frame, scores: npt.NDArray[np.float32]) -> Index:
    """Nearer lists first; within one, by score, ties as published; NaN and infinity last."""
    sound = np.where(np.isfinite(scores), scores, -np.inf)
    return np.lexsort((-sound, frame.levels))


def best_level(frame: Frame) -> Level:
    """The nearest list that gave a row."""
    return LEVELS[int(frame.levels.min())] if len(frame) else Level.NONE


_EMPTY = Frame.of(nothing(), Level.NONE)
_FOLDERS: dict[type, str] = {}


def _folder(kind: type) -> str:
    """The stage that a class belongs to: the folder its file is in."""
    folder = _FOLDERS[kind] = kind.__module__.split(".")[1]
    return folder
