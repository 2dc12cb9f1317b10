"""What a learner has read and still needs: a cache of the streams, which any process can read again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from contracts.errors import EventError
from contracts.feedback_events import Feedback
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS
from serving.learning.feedback import FeedbackColumns
from serving.learning.rules import EARLY_MS, Rules
from serving.learning.slates import LoggedSlate, SeenRequests, Slates, logged_slate
from serving.learning.state import LearnerState
from serving.learning.tail import Anchor, Tail
from serving.stores.event_log import EventLog, LogEntry

T = TypeVar("T")
Poison = tuple[str, LogEntry, EventError]


@dataclass(frozen=True)
class Cell:
    """What is needed to judge the slates after `start_ms`, up to and with `end_ms`.

    Args:
        slates: The first of each request.
        repeated_slates: Further ones.
        feedback: All that may be theirs.
        requests: Requests that had a slate, up to the end.
        poison: Entries of this time that could not be read.
        gaps: Times that either stream had been trimmed beyond what was read.
        blind_until_ms: Feedback before it may have been lost.
        unjudged_slates: Those left out for it.
    """

    start_ms: int
    end_ms: int
    slates: Slates
    repeated_slates: int
    feedback: FeedbackColumns
    requests: SeenRequests
    poison: tuple[Poison, ...]
    gaps: int
    blind_until_ms: int
    unjudged_slates: int


class Reader:
    """Reads both streams forward, cell by cell.

    Memory: 41 bytes per event of feedback for a window, 16 per slate for two.
    """

    def __init__(self, log: EventLog, state: LearnerState, rules: Rules) -> None:
        self._rules = rules
        self._impressions = Tail(log, STREAM_IMPRESSIONS, state.impressions_from)
        self._feedback = Tail(log, STREAM_FEEDBACK, state.feedback_from)
        self._held = FeedbackColumns.of([])
        self._requests = SeenRequests.none()
        self._poison: list[Poison] = []
        self._blind_until_ms = state.blind_until_ms
        self.read_ms = 0
        self.skip_to(state.through_ms)

    def skip_to(self, through_ms: int) -> None:
        """Remember what was judged by somebody else, up to a time."""
        self._first_ones(self._slates(through_ms))
        self.done_with(through_ms)

    def next_slate_ms(self) -> int | None:
        """When the next slate was logged, if there is one."""
        entry = self._impressions.peek()
        return entry.at_ms if entry is not None else None

    def read(self, start_ms: int, end_ms: int) -> Cell:
        """The cell that ends at a time, whose windows have closed."""
        until_ms = end_ms + self._rules.window_ms
        self.read_ms = end_ms
        logged = self._slates(end_ms)
        feedback = list(self._decoded(STREAM_FEEDBACK, self._feedback.through(until_ms), _event))
        # A reader that has just begun reads some events again that belong to earlier cells.
        held = self._held.plus(FeedbackColumns.of(feedback))
        self._held = held.where(held.times_ms > start_ms - EARLY_MS)
        first = self._first_ones(logged)
        gaps = self._take_gaps(until_ms)
        judged = [slate for slate in first if slate.at_ms - EARLY_MS >= self._blind_until_ms]
        return Cell(
            start_ms,
            end_ms,
            Slates.of(judged),
            len(logged) - len(first),
            self._held,
            self._requests,
            tuple(each for each in self._poison if start_ms < each[1].at_ms <= end_ms),
            gaps,
            self._blind_until_ms,
            len(first) - len(judged),
        )

    def done_with(self, through_ms: int) -> None:
        """Forget what no later cell needs."""
        self.read_ms = max(self.read_ms, through_ms)
        self._requests = self._requests.after(through_ms - EARLY_MS - 2 * self._rules.window_ms)
        self._poison = [each for each in self._poison if each[1].at_ms > through_ms]

    def anchors(self, through_ms: int) -> tuple[Anchor, Anchor]:
        """Entries of impressions and of feedback from which on a new process has all it needs."""
        return (
            self._impressions.anchor(through_ms - EARLY_MS - 2 * self._rules.window_ms),
            self._feedback.anchor(through_ms - EARLY_MS),
        )

    def _take_gaps(self, until_ms: int) -> int:
        """How many gaps were met; where feedback is missing, until when goes into `blind_until_ms`."""
        lost = self._feedback.take_gaps()
        self._blind_until_ms = max([self._blind_until_ms, *(until_ms if end is None else end for end in lost)])
        return len(lost) + len(self._impressions.take_gaps())

    def _slates(self, through_ms: int) -> list[LoggedSlate]:
        return list(self._decoded(STREAM_IMPRESSIONS, self._impressions.through(through_ms), logged_slate))

    def _first_ones(self, logged: list[LoggedSlate]) -> list[LoggedSlate]:
        """The first slate of each request, unless the request had one in the window before; they are remembered."""
        codes = np.array([slate.request for slate in logged], np.uint64)
        times = np.array([slate.at_ms for slate in logged], np.int64)
        before = self._requests.times_of(codes, np.iinfo(np.int64).min // 2)
        is_first = np.zeros(len(logged), bool)
        is_first[np.unique(codes, return_index=True)[1]] = True
        is_new = is_first & (times - before > self._rules.window_ms)
        self._requests = self._requests.plus(codes[is_new], times[is_new])
        return [logged[place] for place in np.flatnonzero(is_new)]

    def _decoded(self, stream: str, entries: Iterable[LogEntry], decode: Callable[[LogEntry], T]) -> Iterator[T]:
        for entry in entries:
            try:
                yield decode(entry)
            except EventError as error:
                self._poison.append((stream, entry, error))


def _event(entry: LogEntry) -> tuple[LogEntry, Feedback]:
    return entry, Feedback.from_json(entry.body)
