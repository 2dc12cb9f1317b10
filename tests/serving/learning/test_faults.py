"""Streams that lost something, hold rubbish or vanish; settings that change; days that were applied before."""

import json
from dataclasses import replace

import numpy as np
import pytest
import redis

from bandit.outcomes import Outcomes
from bandit.posteriors import PosteriorEpoch
from contracts.errors import PayloadError
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS, dead_letters
from contracts.settings import BanditSettings, ServingSettings, Settings
from serving.epochs import update_context
from serving.learning.learner import Learner, StepReport
from serving.stores.event_log import START
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from tests.serving.learning.conftest import Clock, ClockedRedis
from tests.serving.learning.histories import (
    BANDIT,
    BASE_MS,
    SETTINGS,
    STEP_MS,
    WINDOW_MS,
    History,
    Shown,
    feedback,
    random_history,
    recompute,
)
from tests.serving.learning.test_learner import END_MS, assert_counted, assert_learnt, replay

CONTEXT = ("home_clips", "light")
KEPT = 1_000_000


def show(
    store: Store, clock: Clock, request: str, at_ms: int, arms: tuple[str, ...] = ("two_tower", "popular")
) -> None:
    clock.at_ms = at_ms
    store.append(STREAM_IMPRESSIONS, Shown(request, 1, CONTEXT, arms).body(), KEPT)


def tell(store: Store, clock: Clock, at_ms: int, request: str, *what: object) -> None:
    """What: item, action and, of plays, seconds."""
    clock.at_ms = at_ms
    store.append(STREAM_FEEDBACK, feedback(request, *what).to_json(), KEPT)


def step_at(store: Store, clock: Clock, at_ms: int, settings: Settings = SETTINGS) -> StepReport:
    clock.at_ms = at_ms
    return Learner(store, store, settings).step()


def lose(store: Store, stream: str, count: int) -> None:
    """Somebody trims the oldest entries, whoever needs them."""
    if isinstance(store, ClockedRedis):
        for identity, _ in store.client.xrange(stream, count=count):
            store.client.xdel(stream, identity)
    else:
        assert isinstance(store, MemoryStore)
        del store._streams[stream][:count]


def test_nothing_at_all_is_learnt_from_nothing(store: Store, clock: Clock) -> None:
    report = step_at(store, clock, BASE_MS)
    assert (report.epochs, report.counts.slates, report.through_ms) == (0, 0, report.closed_ms)
    assert store.posteriors(*CONTEXT) is None


def test_a_slate_waits_until_its_window_has_closed_and_its_cell_is_over(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS + 1)
    tell(store, clock, BASE_MS + WINDOW_MS + 1, "r1", 0, "play", 60.0)
    cell_closes = BASE_MS // STEP_MS * STEP_MS + STEP_MS + WINDOW_MS
    assert step_at(store, clock, cell_closes).epochs == 0
    assert step_at(store, clock, cell_closes + 1).epochs == 1
    state = PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"")
    assert state.epoch == state.applied_through_ms // 1_000
    assert state.evidence("two_tower")[0] > 0.9


def test_feedback_that_arrives_a_moment_late_is_counted_and_changes_nothing(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS)
    tell(store, clock, BASE_MS + WINDOW_MS + 1, "r1", 0, "play", 60.0)
    report = step_at(store, clock, BASE_MS + 5 * WINDOW_MS)
    assert (report.epochs, report.counts.late_feedback, report.counts.feedback) == (0, 1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_steps_back_for_minutes_loses_and_doubles_nothing(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    learner = Learner(store, store, SETTINGS)

    def look() -> None:
        learner.step()
        real = clock.at_ms
        clock.at_ms = real - 400_000
        learner.step()
        clock.at_ms = real

    replay(history, store, clock, look)
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(learner, expected)


def test_entries_appended_while_the_clock_is_back_are_judged_with_the_time_of_the_stream(
    store: Store, clock: Clock
) -> None:
    learner = Learner(store, store, SETTINGS)
    clock.at_ms = BASE_MS
    learner.step()
    clock.at_ms = BASE_MS - 10 * WINDOW_MS
    history = History()
    for number in range(5):
        one = Shown(f"r{number}", 1, CONTEXT, ("two_tower", "popular"))
        store.append(STREAM_IMPRESSIONS, one.body(), KEPT)
        history.slates.append((BASE_MS, one))
        use = feedback(one.request, 1, "play", 60.0)
        store.append(STREAM_FEEDBACK, use.to_json(), KEPT)
        history.events.append((BASE_MS, use))
        learner.step()
    clock.at_ms = END_MS
    learner.step()
    assert_learnt(store, recompute(history, END_MS))


def test_what_cannot_be_read_is_put_aside_and_stops_nobody(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS)
    store.append(STREAM_IMPRESSIONS, b"rubbish", KEPT)
    tell(store, clock, BASE_MS + 1, "r1", 0, "play", 60.0)
    store.append(STREAM_FEEDBACK, b'{"version": 2}', KEPT)
    store.append(STREAM_FEEDBACK, b"\xff" * 5_000, KEPT)
    learner = Learner(store, store, SETTINGS)
    clock.at_ms = BASE_MS + 2 * WINDOW_MS
    assert learner.step().counts.poison == 3
    assert learner.step().counts.poison == 0
    assert store.posteriors(*CONTEXT) is not None
    letters = [json.loads(entry.body) for entry in store.read_from(dead_letters(STREAM_FEEDBACK), START, 9)]
    assert letters[0]["reason"] == "an event of version 2; this reader knows 1"
    assert [len(letter["body"]) for letter in letters] == [14, 8_000]
    assert len(store.read_from(dead_letters(STREAM_IMPRESSIONS), START, 9)) == 1


def test_dead_letters_are_capped(clock: Clock) -> None:
    store = MemoryStore(clock.seconds)
    clock.at_ms = BASE_MS
    settings = SETTINGS.model_copy(update={"live": SETTINGS.live.model_copy(update={"dead_letter_length": 5})})
    for _ in range(50):
        store.append(STREAM_FEEDBACK, b"rubbish", KEPT)
    assert step_at(store, clock, END_MS, settings).counts.poison == 50
    assert len(store.read_from(dead_letters(STREAM_FEEDBACK), START, 99)) == 5


def test_slates_whose_feedback_was_trimmed_are_left_out_and_counted(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS)
    tell(store, clock, BASE_MS + 1_000, "r1", 0, "click")
    step_at(store, clock, BASE_MS + 2 * WINDOW_MS)
    before = store.posteriors(*CONTEXT)
    show(store, clock, "r2", BASE_MS + 3 * WINDOW_MS)
    tell(store, clock, BASE_MS + 3 * WINDOW_MS + 1_000, "r2", 0, "play", 60.0)
    tell(store, clock, BASE_MS + 3 * WINDOW_MS + 2_000, "r2", 1, "viewport")
    show(store, clock, "r3", BASE_MS + 6 * WINDOW_MS)
    tell(store, clock, BASE_MS + 6 * WINDOW_MS + 1_000, "r3", 0, "play", 60.0)
    lose(store, STREAM_FEEDBACK, 2)
    # The viewport alone would make a failure of what was a success.
    report = step_at(store, clock, BASE_MS + 5 * WINDOW_MS)
    assert (report.counts.gaps, report.counts.unjudged_slates, report.counts.slates) == (1, 1, 0)
    assert store.posteriors(*CONTEXT) == before
    report = step_at(store, clock, BASE_MS + 9 * WINDOW_MS)
    assert (report.counts.gaps, report.counts.slates, report.counts.successes) == (0, 1, 1)


def test_a_stream_of_slates_that_was_trimmed_too_far_is_said(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS)
    learner = Learner(store, store, SETTINGS)
    clock.at_ms = BASE_MS + 2 * WINDOW_MS
    learner.step()
    show(store, clock, "r2", BASE_MS + 2 * WINDOW_MS + 1)
    show(store, clock, "r3", BASE_MS + 2 * WINDOW_MS + 2)
    lose(store, STREAM_IMPRESSIONS, 2)
    clock.at_ms = BASE_MS + 5 * WINDOW_MS
    report = learner.step()
    assert (report.counts.gaps, report.counts.slates) == (1, 1)


def test_a_feedback_stream_that_vanished_judges_nothing_it_may_have_held(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS)
    tell(store, clock, BASE_MS, "r1", 0, "click")
    step_at(store, clock, BASE_MS + 2 * WINDOW_MS)
    show(store, clock, "r2", BASE_MS + 3 * WINDOW_MS)
    tell(store, clock, BASE_MS + 3 * WINDOW_MS, "r2", 0, "play", 60.0)
    lose(store, STREAM_FEEDBACK, 9)
    report = step_at(store, clock, BASE_MS + 5 * WINDOW_MS)
    assert (report.counts.gaps, report.counts.unjudged_slates, report.epochs) == (1, 1, 0)


def test_an_entry_that_erase_deletes_is_no_gap(store: Store, clock: Clock) -> None:
    show(store, clock, "r0", BASE_MS)
    tell(store, clock, BASE_MS, "r0", 0, "click")
    tell(store, clock, BASE_MS + 1, "r0", 0, "viewport")
    learner = Learner(store, store, SETTINGS)
    clock.at_ms = BASE_MS + 2 * WINDOW_MS
    learner.step()
    drop(store, STREAM_FEEDBACK, 1)
    clock.at_ms += 1
    learner.step()
    show(store, clock, "r1", BASE_MS + 3 * WINDOW_MS)
    tell(store, clock, BASE_MS + 3 * WINDOW_MS, "r1", 0, "play", 60.0)
    clock.at_ms = BASE_MS + 5 * WINDOW_MS
    report = learner.step()
    assert (report.total.gaps, report.counts.successes) == (0, 1)


def drop(store: Store, stream: str, place: int) -> None:
    """Delete one entry."""
    if isinstance(store, ClockedRedis):
        store.client.xdel(stream, store.client.xrange(stream)[place][0])
    else:
        assert isinstance(store, MemoryStore)
        del store._streams[stream][place]


def test_a_redis_that_was_restarted_empty_is_learnt_from_anew(clock: Clock, redis_url: str) -> None:
    store = ClockedRedis(redis.Redis.from_url(redis_url), clock)
    learner = Learner(store, store, SETTINGS)
    replay(random_history(1), store, clock, learner.step)
    first = PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"")
    store.client.flushall()
    store.client.script_flush()
    history = History()
    for number, (at, one) in enumerate(random_history(2).slates):
        if isinstance(one, Shown):
            history.slates.append((at + END_MS - BASE_MS, replace(one, request=f"new{number}")))
    history.events = [
        (at + 1, feedback(one.request, 0, "play", 60.0)) for at, one in history.slates if isinstance(one, Shown)
    ]
    replay(history, store, clock, lambda: None)
    clock.at_ms = 2 * END_MS - BASE_MS
    learner.step()
    assert_learnt(store, recompute(history, clock.at_ms))
    # A number that old impressions name is never given again.
    assert PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"").epoch > first.epoch


def test_a_lost_learner_state_doubles_nothing(store: Store, clock: Clock) -> None:
    history = random_history(5)
    replay(history, store, clock, Learner(store, store, SETTINGS).step)
    before = {context: store.posteriors(*context) for context in recompute(history, END_MS).epochs}
    if isinstance(store, ClockedRedis):
        store.client.delete("sr:bandit:learner")
    else:
        store._data.drop("sr:bandit:learner")  # type: ignore[attr-defined]
    assert Learner(store, store, SETTINGS).step().epochs == 0
    assert {context: store.posteriors(*context) for context in before} == before


@pytest.mark.parametrize("text", [b"rubbish", b"[]", b'{"version": 2}', b'{"version": 1}'])
def test_a_corrupt_learner_state_is_named(clock: Clock, text: bytes) -> None:
    store = MemoryStore(clock.seconds)
    store.put_learner(text, None)
    with pytest.raises(PayloadError, match="learner state"):
        Learner(store, store, SETTINGS).step()


def test_old_entries_are_let_go_and_nothing_that_is_needed(clock: Clock) -> None:
    store = MemoryStore(clock.seconds)
    hours = SETTINGS.model_copy(update={"serving": ServingSettings(stream_keep_hours=0.5)})
    history = random_history(4, slates=200, minutes=90)
    for at, stream, body in history.entries():
        clock.at_ms = at
        store.append(stream, body, KEPT)
        if at % 7 == 0:
            Learner(store, store, hours).step()
    clock.at_ms = END_MS + 90 * 60_000
    report = Learner(store, store, hours).step()
    assert report.total.gaps == 0
    expected = recompute(history, clock.at_ms)
    assert {context: store.posteriors(*context) for context in expected.epochs} == {
        context: epochs[-1][1] for context, epochs in expected.epochs.items()
    }
    assert len(store.read_from(STREAM_IMPRESSIONS, START, 1_000)) < 0.7 * len(history.slates)


def test_another_window_from_now_on_judges_no_slate_twice_and_none_never(store: Store, clock: Clock) -> None:
    for number in range(40):
        show(store, clock, f"r{number}", BASE_MS + number * 20_000)
        tell(store, clock, BASE_MS + number * 20_000 + 5, f"r{number}", 0, "play", 60.0)
    total = 0
    for minutes, at in ((5, 8), (15, 18), (2, 19), (7, 40)):
        bandit = BANDIT.model_copy(update={"attribution_minutes": minutes, "step_seconds": 7.0 * minutes})
        settings = SETTINGS.model_copy(update={"bandit": bandit})
        total += step_at(store, clock, BASE_MS + at * 60_000, settings).counts.successes
    assert total == 40
    state = PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"")
    ages = [(state.applied_through_ms - BASE_MS - number * 20_000) / 1_000 for number in range(40)]
    assert state.evidence("two_tower")[0] == pytest.approx(sum(2 ** (-age / 1_800) for age in ages))


def test_what_a_daily_update_has_applied_is_not_applied_again(store: Store, clock: Clock) -> None:
    daily = Outcomes(["two_tower"], np.array([True]), np.array([BASE_MS / 1_000 + 1.0]))
    update_context(store, BanditSettings(), CONTEXT, daily, BASE_MS + 60_000)
    for number, at in enumerate((1_000, 60_000, 60_001)):
        show(store, clock, f"r{number}", BASE_MS + at)
        tell(store, clock, BASE_MS + at, f"r{number}", 0, "play", 60.0)
    assert step_at(store, clock, END_MS).counts.successes == 3
    state = PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"")
    assert state.evidence("two_tower")[0] == pytest.approx(2.0, abs=0.1)


def test_a_click_is_enough_where_the_settings_say_so(store: Store, clock: Clock) -> None:
    show(store, clock, "r1", BASE_MS, ("two_tower", "popular", "fresh"))
    tell(store, clock, BASE_MS, "r1", 1, "click")
    clicks = SETTINGS.model_copy(update={"bandit": BANDIT.model_copy(update={"reward": "click"})})
    counts = step_at(store, clock, END_MS, clicks).counts
    assert (counts.successes, counts.failures) == (1, 1)


def test_positions_nobody_reports_on_count_by_what_others_looked_at(store: Store, clock: Clock) -> None:
    arms = ("two_tower", "popular", "fresh")
    for number in range(60):
        show(store, clock, f"seen{number}", BASE_MS + number, arms)
        tell(store, clock, BASE_MS + number, f"seen{number}", 0, "viewport")
        if number % 2:
            tell(store, clock, BASE_MS + number, f"seen{number}", 1, "viewport")
    show(store, clock, "silent", BASE_MS + 3 * STEP_MS, arms)
    show(store, clock, "unknown", BASE_MS + 3 * STEP_MS, ("fresh",) * 4)
    step_at(store, clock, END_MS)
    state = PosteriorEpoch.from_bytes(store.posteriors(*CONTEXT) or b"")
    lone = 2 ** (-(state.applied_through_ms - BASE_MS - 3 * STEP_MS) / 1_800_000)
    # Sixty measured slates beside twenty prior ones: looked at in all, in half and in none.
    assert state.evidence("fresh")[1] == pytest.approx((60 + 30) / 80 * lone, rel=0.01)
