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
from serving.stages import Filter, Hydrator, Ranking, Reranker, Scorer, Source

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
    caps: Sequence[Filter]
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
        folder, name = _LABELS.get(type(stage)) or _label(type(stage))
        self.records.append((folder, name, spent, entered, left))

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
    may = np.ones(len(offered), bool)
    left = _judged(wiring.filters, offered, may, len(may), query, trace)
    above = len(frame)
    if above:
        may = np.concatenate([np.ones(above, bool), may])
        offered = frame.followed_by(offered)
    _judged(wiring.caps, offered, may, above + left, query, trace)
    return offered.take(may), True


def _judged(rules: Sequence[Filter], frame: Frame, may: Mask, left: int, query: Query, trace: Trace) -> int:
    """How many rows all rules leave; each one's drops are counted among what those before it left."""
    for rule in rules:
        started, entered = perf_counter_ns(), left
        found = rule.drop(frame, may, query)
        left = left if found is None else found
        trace.record(rule, started, entered, left)
    return left


def _best_first(frame: Frame, scores: npt.NDArray[np.float32]) -> Index:
    """Nearer lists first; within one, by score, ties as published; NaN and infinity last."""
    sound = np.where(np.isfinite(scores), scores, -np.inf)
    return np.lexsort((-sound, frame.levels))


def best_level(frame: Frame) -> Level:
    """The nearest list that gave a row."""
    return LEVELS[int(frame.levels.min())] if len(frame) else Level.NONE


_EMPTY = Frame.of(nothing(), Level.NONE)
_LABELS: dict[type, tuple[str, str]] = {}


def _label(kind: type) -> tuple[str, str]:
    """The stage that a class belongs to, which is the folder its file is in, and its name."""
    label = _LABELS[kind] = kind.__module__.split(".")[1], kind.__name__
    return label
