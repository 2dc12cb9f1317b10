"""The learner: judges each slate once, when its window has closed, and makes the next epoch of each context.

Exactly once without any state of its own: slates are judged in cells of a fixed grid of stream time, so whoever judges
a cell gets the same outcomes; each context's packed state says up to which slates they are in, and is replaced only
where it is still the one that was read. Killed anywhere, or run twice at once, a cell is judged again and changes what
it has not changed yet. The learner's own state moves on when all contexts of a cell are written: it only says where to
go on, and weighs nothing but what it says of examination.
"""

from dataclasses import dataclass

from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS
from contracts.settings import Settings
from serving.epochs import update_context
from serving.learning.dead_letters import bury
from serving.learning.judge import JudgedCell, judge, unmatched
from serving.learning.reader import Cell, Reader
from serving.learning.rules import EARLY_MS, Rules
from serving.learning.state import Counts, LearnerState
from serving.stores.event_log import EventLog
from serving.stores.protocol import BanditStore

_MILLISECONDS_PER_HOUR = 3_600_000


@dataclass(frozen=True)
class StepReport:
    """What a step did.

    Args:
        through_ms: Slates up to this stream time are judged.
        closed_ms: Slates up to this stream time have a closed window: the step went so far, or another learner did.
        epochs: New epochs.
        counts: Of this step.
        total: Since the learner's state began.
    """

    through_ms: int
    closed_ms: int
    epochs: int
    counts: Counts
    total: Counts


class Learner:
    """Learns from both streams, step by step.

    Args:
        log: Where the streams are.
        store: Where epochs are kept.
    """

    def __init__(self, log: EventLog, store: BanditStore, settings: Settings) -> None:
        self._log, self._store, self._settings = log, store, settings
        self._rules = Rules.of(settings.bandit)
        self._reader: Reader | None = None

    def step(self) -> StepReport:
        """Judge every slate whose window has closed.

        Raises:
            StoreUnavailableError: what was judged until then stays; the next step goes on.
            EpochConflictError: somebody else keeps changing a context.
            PayloadError: the learner's state or a context's is corrupt.
        """
        sealed_ms = min(self._log.seal(STREAM_IMPRESSIONS), self._log.seal(STREAM_FEEDBACK))
        closed_ms = self._rules.floor(sealed_ms - self._rules.window_ms - 1)
        state, packed, reader = self._load()
        before, epochs = state.counts, 0
        while (end_ms := self._next_end(reader, state, closed_ms)) is not None:
            cell = reader.read(state.through_ms, end_ms)
            judged = judge(cell.slates, cell.feedback, state.examination, self._rules)
            epochs += self._write(cell, judged)
            following = self._after(state, cell, judged, reader)
            self._store.put_learner(following.to_json(), packed)
            state, packed, reader = self._load()
        self._trim(state, sealed_ms)
        return StepReport(state.through_ms, closed_ms, epochs, state.counts.minus(before), state.counts)

    def _load(self) -> tuple[LearnerState, bytes | None, Reader]:
        """How far the streams have been learnt from, by whomever, and a reader that is there, too."""
        packed = self._store.learner()
        state = LearnerState.from_json(packed)
        # A reader that has read on cannot go back: the cell was not finished, or the store is an older or an empty one.
        if self._reader is None or self._reader.read_ms > state.through_ms:
            self._reader = Reader(self._log, state, self._rules)
        else:
            self._reader.skip_to(state.through_ms)
        return state, packed, self._reader

    def _next_end(self, reader: Reader, state: LearnerState, closed_ms: int) -> int | None:
        """The end of the next cell with a slate; without any, the last edge whose windows have closed."""
        slate_ms = reader.next_slate_ms()
        end_ms = closed_ms if slate_ms is None else min(closed_ms, self._rules.ceiling(slate_ms))
        return end_ms if end_ms > state.through_ms else None

    def _write(self, cell: Cell, judged: JudgedCell) -> int:
        """Put poison aside and outcomes into their contexts; returns how many epochs that made."""
        for stream, entry, error in cell.poison:
            bury(self._log, stream, entry, error, self._settings.live.dead_letter_length)
        written = 0
        for context, outcomes in judged.outcomes():
            # Numbered by the time they go to, so that a store that was emptied never gives a number twice.
            number = cell.end_ms // 1_000
            change = update_context(self._store, self._settings.bandit, context, outcomes, cell.end_ms, number)
            written += change.is_new
        return written

    def _after(self, state: LearnerState, cell: Cell, judged: JudgedCell, reader: Reader) -> LearnerState:
        """The state when a cell is in."""
        over = cell.feedback.where(cell.feedback.times_ms <= cell.end_ms - EARLY_MS)
        counts = state.counts.plus(judged.counts).plus(unmatched(over, cell.requests, self._rules))
        further = Counts(
            repeated_slates=cell.repeated_slates,
            unjudged_slates=cell.unjudged_slates,
            poison=len(cell.poison),
            gaps=cell.gaps,
        )
        examination = state.examination.plus(judged.measured, cell.end_ms, self._rules.half_life_ms)
        anchors = reader.anchors(cell.end_ms)
        return LearnerState(cell.end_ms, *anchors, cell.blind_until_ms, counts.plus(further), examination)

    def _trim(self, state: LearnerState, sealed_ms: int) -> None:
        """Let go what is old, unless a learner that starts anew would need it."""
        keep_ms = sealed_ms - round(self._settings.serving.stream_keep_hours * _MILLISECONDS_PER_HOUR)
        anchors = {STREAM_IMPRESSIONS: state.impressions_from, STREAM_FEEDBACK: state.feedback_from}
        for stream, anchor in anchors.items():
            self._log.trim(stream, min(anchor.at_ms, keep_ms))
