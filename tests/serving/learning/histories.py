"""Random histories of slates and feedback, and what they come to by plain loops over everything."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import numpy as np

from bandit.outcomes import Outcomes
from contracts.feedback_events import Feedback
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS, FeedbackAction, ItemKind
from contracts.payload import SOURCES, encode
from contracts.settings import BanditSettings, ServingSettings, Settings
from serving.epochs import next_epoch, prior_epoch
from serving.impressions import Entry

BASE_MS = 1_700_000_040_000
WINDOW_MS, STEP_MS, EARLY_MS = 300_000, 60_000, 10_000
BANDIT = BanditSettings(updates="stream", attribution_minutes=5, step_seconds=60, half_life_hours=0.5)
SETTINGS = Settings(bandit=BANDIT, serving=ServingSettings(stream_keep_hours=10_000))
ARMS = ("two_tower", "popular", "fresh")
CONTEXTS = [("home_clips", "light"), ("home_clips", "heavy"), ("clips_feed", "all")]


@dataclass(frozen=True)
class Shown:
    """A slate as it was logged: items 0 to 5, one arm each."""

    request: str
    user: int | None
    context: tuple[str, str]
    arms: tuple[str, ...]

    def body(self) -> bytes:
        count = len(self.arms)
        entry = Entry(
            v=1,
            request_id=self.request,
            user_id=self.user,
            context=self.context[1],
            surface=self.context[0],
            policy_id="thompson/2",
            epoch=0,
            seed=1,
            arms=ARMS,
            counts=(9,) * len(ARMS),
            parents=(),
            features=(),
            weights=(),
            generation="g",
            model_version="",
            served_at=datetime(2026, 1, 30, tzinfo=UTC).isoformat(),
            kinds=[0] * count,
            item_ids=list(range(count)),
            streamer_ids=[10] * count,
            sources=encode(self.arms, SOURCES).tolist(),
            scores=[0.5] * count,
            levels=[0] * count,
            stages=(),
            notes=[],
        )
        return msgspec.json.encode(entry)


def feedback(request: str, item: int, action: str, seconds: float | None = None, user: int | None = None) -> Feedback:
    return Feedback(
        request_id=request,
        user_id=user,
        item_id=item,
        item_kind=ItemKind.CLIP,
        action=FeedbackAction(action),
        watched_seconds=seconds,
        event_time=datetime(2026, 1, 30, tzinfo=UTC),
    )


@dataclass
class History:
    """Everything that was appended, in order: (time, slate or feedback or bytes that are neither)."""

    slates: list[tuple[int, Shown | bytes]] = field(default_factory=list)
    events: list[tuple[int, Feedback | bytes]] = field(default_factory=list)

    def entries(self) -> list[tuple[int, str, bytes]]:
        """(time, stream, body), by time."""
        found = [(at, STREAM_IMPRESSIONS, one if isinstance(one, bytes) else one.body()) for at, one in self.slates]
        found += [(at, STREAM_FEEDBACK, one if isinstance(one, bytes) else one.to_json()) for at, one in self.events]
        return sorted(found, key=lambda entry: entry[0])


def random_history(seed: int, slates: int = 60, minutes: float = 15) -> History:
    """Slates of all kinds, and feedback in time, late, repeated, on unknown things, by strangers, and unreadable."""
    rng = np.random.default_rng(seed)
    history = History()
    times = np.sort(rng.integers(0, int(minutes * 60_000), slates)) + BASE_MS
    # The clock stood still, as it does for a stream when it steps back; and some fall on an edge of the grid.
    times[slates // 3 : slates // 2] = times[slates // 3]
    times[::7] = times[::7] // STEP_MS * STEP_MS
    times = np.sort(times)
    for number, at in enumerate(times.tolist()):
        user = int(rng.integers(1, 9)) if rng.random() < 0.8 else None
        arms = tuple(rng.choice(ARMS, int(rng.integers(1, 7))).tolist())
        shown = Shown(f"r{number}", user, CONTEXTS[rng.integers(len(CONTEXTS))], arms)
        history.slates.append((at, shown))
        if rng.random() < 0.15:
            history.slates.append((at + int(rng.integers(0, 2 * STEP_MS)), shown))
        if rng.random() < 0.1:
            history.slates.append((at, [b"", b"{}", b"[1]", b"\xff", b"[{}, []]"][rng.integers(5)]))
        history.events += _random_events(rng, at, shown)
    history.slates.sort(key=lambda pair: pair[0])
    history.events.sort(key=lambda pair: pair[0])
    return history


def _random_events(rng: np.random.Generator, at: int, shown: Shown) -> Iterator[tuple[int, Feedback | bytes]]:
    reports = rng.random() < 0.4
    for _ in range(rng.integers(0, 6)):
        after = int(rng.choice([-5_000, 0, 1_000, 90_000, WINDOW_MS, WINDOW_MS + 1, 500_000, 700_000]))
        actions = ["viewport", "click", "play", "dismiss"] if reports else ["click", "play", "dismiss"]
        action = str(rng.choice(actions))
        seconds = float(rng.choice([0.0, 29.9, 30.0, 300.0])) if action == "play" and rng.random() < 0.9 else None
        item = int(rng.integers(0, len(shown.arms) + 1))
        user = [shown.user, None, 99][int(rng.choice(3, p=[0.6, 0.3, 0.1]))]
        request = shown.request if rng.random() < 0.9 else "nobody"
        one = feedback(request, item, action, seconds, user)
        yield at + after, one
        if rng.random() < 0.2:
            yield at + after + int(rng.integers(0, 40_000)), one
    if rng.random() < 0.1:
        yield at, [b"", b"null", b'{"version": 9}', b"\x00\xff"][rng.integers(4)]


@dataclass
class Expected:
    """What a history comes to: the packed state and number of each context's epochs, and counts by name."""

    epochs: dict[tuple[str, str], list[tuple[int, bytes]]]
    outcomes: dict[tuple[str, str], list[tuple[int, str, bool, float]]]
    counts: dict[str, int]


def recompute(history: History, until_ms: int, bandit: BanditSettings = BANDIT) -> Expected:
    """Judge every slate whose window closed before a time, from scratch and one by one."""
    closed = (until_ms - WINDOW_MS - 1) // STEP_MS * STEP_MS
    counts: dict[str, int] = defaultdict(int)
    cells: dict[int, list[tuple[int, Shown]]] = defaultdict(list)
    latest: dict[str, int] = {}
    for at, shown in history.slates:
        if at > closed:
            continue
        if isinstance(shown, bytes):
            counts["poison"] += 1
        elif shown.request in latest and at - latest[shown.request] <= WINDOW_MS:
            counts["repeated_slates"] += 1
        else:
            latest[shown.request] = at
            cells[-(-at // STEP_MS) * STEP_MS].append((at, shown))
    states = {context: prior_epoch(bandit) for context in CONTEXTS}
    expected = Expected({context: [] for context in CONTEXTS}, defaultdict(list), counts)
    rates = _Rates(bandit.half_life_hours * 3_600_000)
    for end in sorted(cells):
        judged = [row for at, shown in cells[end] for row in _judge(at, shown, history, rates, counts, bandit)]
        for context in sorted(CONTEXTS):
            rows = [row[1:] for row in judged if row[0] == context and row[4] > 0]
            if rows:
                times, arms, wins, weights = zip(*rows, strict=True)
                outcomes = Outcomes(arms, np.array(wins), np.array(times) / 1_000, (), np.array(weights))
                following = next_epoch(states[context], outcomes, end, bandit)
                states[context] = replace(following, epoch=max(following.epoch, end // 1_000))
                expected.epochs[context].append((states[context].epoch, states[context].to_bytes()))
                expected.outcomes[context] += rows
        rates.close(end)
    _count_unmatched(history, latest, closed, counts)
    return expected


class _Rates:
    """Examination rates, decayed when a cell brings something new."""

    def __init__(self, half_life_ms: float) -> None:
        self.half_life_ms, self.as_of = half_life_ms, 0
        self.shown: dict[tuple[str, int], float] = defaultdict(float)
        self.examined: dict[tuple[str, int], float] = defaultdict(float)
        self.new: list[tuple[str, int, bool]] = []

    def rate(self, surface: str, position: int) -> float:
        return self.examined[surface, position] / (self.shown[surface, position] + BANDIT.examination_prior_slates)

    def close(self, end: int) -> None:
        if not self.new:
            return
        aged = 2.0 ** ((self.as_of - end) / self.half_life_ms)
        for counts in (self.shown, self.examined):
            for key in counts:
                counts[key] *= aged
        added: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for surface, position, is_examined in self.new:
            added[surface, position][0] += 1
            added[surface, position][1] += is_examined
        for key, (shown, examined) in added.items():
            self.shown[key] += shown
            self.examined[key] += examined
        self.as_of, self.new = end, []


Row = tuple[tuple[str, str], int, str, bool, float]


def _judge(  # one slate, all feedback
    at: int, shown: Shown, history: History, rates: _Rates, counts: dict[str, int], bandit: BanditSettings
) -> list[Row]:
    events = list(_of_slate(at, shown, history, counts))
    used = {event.item_id + 1 for event in events if event.action in ("click", "play")}
    won = {event.item_id + 1 for event in events if _is_success(event, bandit)}
    seen = {event.item_id + 1 for event in events if event.action in ("viewport", "dismiss")}
    reports = any(event.action == "viewport" for event in events)
    rows: list[Row] = []
    for position, arm in enumerate(shown.arms, start=1):
        is_examined = position <= max(used, default=0) or position in seen
        guess = 0.0 if reports else rates.rate(shown.context[0], position)
        rows.append((shown.context, at, arm, position in won, 1.0 if is_examined else guess))
        if reports:
            rates.new.append((shown.context[0], position, is_examined))
    counts["slates"] += 1
    counts["successes"] += len(won)
    counts["failures"] += sum(weight > 0 and not is_success for _, _, _, is_success, weight in rows)
    return rows


def _of_slate(at: int, shown: Shown, history: History, counts: dict[str, int]) -> Iterator[Feedback]:
    done = set()
    for arrived, event in history.events:
        if isinstance(event, bytes) or event.request_id != shown.request:
            continue
        if not at - EARLY_MS <= arrived <= at + WINDOW_MS:
            continue
        if event.user_id is not None and shown.user is not None and event.user_id != shown.user:
            counts["foreign_feedback"] += 1
        elif event.item_id >= len(shown.arms):
            counts["unknown_items"] += 1
        else:
            counts["feedback"] += 1
            counts["repeated_feedback"] += (event.item_id, event.action) in done
            done.add((event.item_id, event.action))
            yield event


def _is_success(event: Feedback, bandit: BanditSettings) -> bool:
    if bandit.reward == "click":
        return event.action in ("click", "play")
    return event.action == "play" and (event.watched_seconds or 0) >= bandit.valued_watch_seconds


def _count_unmatched(history: History, latest: dict[str, int], closed: int, counts: dict[str, int]) -> None:
    for arrived, event in history.events:
        if isinstance(event, bytes):
            counts["poison"] += arrived <= closed
        elif arrived <= closed - EARLY_MS:
            after = arrived - latest.get(event.request_id, -(2**62))
            counts["late_feedback"] += WINDOW_MS < after <= 2 * WINDOW_MS
            counts["unknown_feedback"] += after > 2 * WINDOW_MS or after < -EARLY_MS
