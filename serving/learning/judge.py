"""Judging the slates of a cell by their feedback.

Success: by `bandit.reward`. A position was examined when it stands at or above the slate's last click or play, or was
seen, dismissed or used itself. In a slate whose client reports what came into view the others were not; in any other
slate they count as failures with the position's examination rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bandit.outcomes import Outcomes
from contracts.names import FeedbackAction
from serving.learning.examination import MAX_POSITIONS, Examination, Floats
from serving.learning.feedback import ACTIONS, FeedbackColumns
from serving.learning.rules import EARLY_MS, Rules
from serving.learning.slates import SeenRequests, Slates
from serving.learning.state import Counts

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class JudgedCell:
    """What a cell says.

    Args:
        slates: Those that were judged.
        is_success: (N,) per position.
        weights: (N,) 1 for what was examined, a rate for what may have been, 0 for what was not.
        measured: By surface, (P,) slates that showed a position and in which it was examined, where clients report.
        counts: Of slates and their feedback.
    """

    slates: Slates
    is_success: Mask
    weights: Floats
    measured: dict[str, tuple[Floats, Floats]]
    counts: Counts

    def outcomes(self) -> Iterator[tuple[tuple[str, str], Outcomes]]:
        """What each context learns, in a fixed order."""
        names = sorted(set(self.slates.contexts))
        codes = np.array([names.index(context) for context in self.slates.contexts], np.intp)[self.slates.slates]
        for code, context in enumerate(names):
            rows = np.flatnonzero((codes == code) & (self.weights > 0))
            if len(rows):
                yield context, self._of(rows)

    def _of(self, rows: Index) -> Outcomes:
        places = rows.tolist()
        return Outcomes(
            [self.slates.arms[place] for place in places],
            self.is_success[rows],
            self.slates.times_ms[self.slates.slates[rows]] / 1_000,
            [self.slates.parents[place] for place in places],
            self.weights[rows],
        )


def judge(slates: Slates, feedback: FeedbackColumns, examination: Examination, rules: Rules) -> JudgedCell:
    """Judge slates by all feedback that may be theirs; what else is in there changes nothing."""
    whose = _slates_of(slates, feedback)
    ours = whose >= 0
    feedback, whose = feedback.where(ours), whose[ours]
    after = feedback.times_ms - slates.times_ms[whose]
    fits = (after >= -EARLY_MS) & (after <= rules.window_ms)
    feedback, whose = feedback.where(fits), whose[fits]
    is_foreign = feedback.has_user & slates.has_user[whose] & (feedback.users != slates.users[whose])
    feedback, whose = feedback.where(~is_foreign), whose[~is_foreign]
    rows = _rows_of(slates, whose, feedback.items)
    known = rows >= 0
    feedback, rows = feedback.where(known), rows[known]
    used, won, seen = _marks(len(slates.items), feedback, rows, rules)
    reports = _reports(slates, feedback, rows)
    examined = _examined(slates, used, won | seen)
    weights = np.where(examined, 1.0, _guessed(slates, ~examined & ~reports[slates.slates], examination, rules))
    counts = Counts(
        slates=len(slates.requests),
        successes=int(won.sum()),
        failures=int(((weights > 0) & ~won).sum()),
        feedback=len(rows),
        repeated_feedback=len(rows) - len(np.unique(rows * len(ACTIONS) + feedback.actions)),
        foreign_feedback=int(is_foreign.sum()),
        unknown_items=int((~known).sum()),
    )
    return JudgedCell(slates, won, weights, _measured(slates, examined, reports), counts)


def unmatched(feedback: FeedbackColumns, requests: SeenRequests, rules: Rules) -> Counts:
    """How much feedback came too late for its slate, or has none."""
    never = np.iinfo(np.int64).min // 2
    after = feedback.times_ms - requests.times_of(feedback.requests, never)
    is_late = (after > rules.window_ms) & (after <= 2 * rules.window_ms)
    is_unknown = (after > 2 * rules.window_ms) | (after < -EARLY_MS)
    return Counts(late_feedback=int(is_late.sum()), unknown_feedback=int(is_unknown.sum()))


def _slates_of(slates: Slates, feedback: FeedbackColumns) -> Index:
    """(M,) the slate of each event, -1 where it is none of these."""
    if not len(slates.requests):
        return np.full(len(feedback), -1, np.intp)
    order = np.argsort(slates.requests, kind="stable")
    ordered = slates.requests[order]
    places = np.searchsorted(ordered, feedback.requests).clip(max=len(order) - 1)
    return np.where(ordered[places] == feedback.requests, order[places], -1)


def _rows_of(slates: Slates, whose: Index, items: npt.NDArray[np.int64]) -> Index:
    """(M,) the position of an item in a slate, the upper one where it stands twice; -1 where it does not."""
    if not len(whose):
        return np.empty(0, np.intp)
    names, codes = np.unique(np.concatenate([slates.items, items]), return_inverse=True)
    keys = slates.slates * len(names) + codes[: len(slates.items)]
    order = np.lexsort((slates.positions, keys))
    wanted = whose * len(names) + codes[len(slates.items) :]
    places = np.searchsorted(keys[order], wanted).clip(max=len(order) - 1)
    return np.where(keys[order][places] == wanted, order[places], -1)


def _marks(length: int, feedback: FeedbackColumns, rows: Index, rules: Rules) -> tuple[Mask, Mask, Mask]:
    """(N,) each: clicked or played; a success; seen or dismissed."""
    is_play = feedback.is_action(FeedbackAction.PLAY)
    is_use = is_play | feedback.is_action(FeedbackAction.CLICK)
    wins = is_use if rules.is_click_enough else is_play & (feedback.seconds >= rules.valued_seconds)
    sees = feedback.is_action(FeedbackAction.VIEWPORT, FeedbackAction.DISMISS)
    marks = np.zeros((3, length), bool)
    for mark, which in zip(marks, (is_use, wins, sees), strict=True):
        mark[rows[which]] = True
    return marks[0], marks[1], marks[2]


def _reports(slates: Slates, feedback: FeedbackColumns, rows: Index) -> Mask:
    """(S,) whether the slate's client reports what came into view."""
    has_viewport = np.zeros(len(slates.requests), bool)
    viewports = feedback.actions == ACTIONS.index(FeedbackAction.VIEWPORT)
    has_viewport[slates.slates[rows[viewports]]] = True
    return has_viewport


def _examined(slates: Slates, used: Mask, noticed: Mask) -> Mask:
    """(N,) noticed itself, or at or above the slate's last use."""
    depth = np.zeros(len(slates.requests), np.int64)
    np.maximum.at(depth, slates.slates, np.where(used, slates.positions, 0))
    return noticed | (slates.positions <= depth[slates.slates])


def _guessed(slates: Slates, which: Mask, examination: Examination, rules: Rules) -> Floats:
    """(N,) examination rates of some positions, 0 elsewhere."""
    rates = np.zeros(len(which))
    surfaces = _surfaces(slates)
    for surface in sorted(set(surfaces[which])):
        rows = which & (surfaces == surface)
        rates[rows] = examination.rates(surface, slates.positions[rows], rules.prior_slates)
    return rates


def _surfaces(slates: Slates) -> npt.NDArray[np.object_]:
    return np.array([surface for surface, _ in slates.contexts], object)[slates.slates]


def _measured(slates: Slates, examined: Mask, reports: Mask) -> dict[str, tuple[Floats, Floats]]:
    """Examination counts of the slates that report."""
    which = reports[slates.slates] & (slates.positions <= MAX_POSITIONS)
    surfaces = _surfaces(slates)
    measured: dict[str, tuple[Floats, Floats]] = {}
    for surface in sorted(set(surfaces[which])):
        rows = which & (surfaces == surface)
        places, ones = slates.positions[rows] - 1, np.ones(int(rows.sum()))
        measured[surface] = (_sums(places, ones), _sums(places, ones * examined[rows]))
    return measured


def _sums(places: npt.NDArray[np.int64], values: Floats) -> Floats:
    return np.bincount(places, values).astype(np.float64)
