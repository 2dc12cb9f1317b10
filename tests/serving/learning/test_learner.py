from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest

from bandit.arms import CONTEXT as CONTEXT_ARM
from bandit.policies.registry import POLICIES
from bandit.posteriors import PosteriorEpoch
from contracts.errors import StoreUnavailableError
from serving.epochs import epoch_of
from serving.learning.learner import Learner
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from tests.serving.learning.conftest import Clock
from tests.serving.learning.histories import (
    BANDIT,
    BASE_MS,
    SETTINGS,
    Expected,
    History,
    random_history,
    recompute,
)

END_MS = BASE_MS + 45 * 60_000


def replay(history: History, store: Store, clock: Clock, look: Callable[[], object], every_ms: int = 47_000) -> None:
    """Append everything in time, and look every so often."""
    next_look = BASE_MS + every_ms
    for at, stream, body in history.entries():
        while next_look < at:
            clock.at_ms, next_look = next_look, next_look + every_ms
            look()
        clock.at_ms = at
        store.append(stream, body, 100_000)
    clock.at_ms = END_MS
    look()


def assert_learnt(store: Store, expected: Expected) -> None:
    """Every epoch of every context is what the recomputation says, bit for bit."""
    for context, epochs in expected.epochs.items():
        assert store.posteriors(*context) == (epochs[-1][1] if epochs else None)
        for number, packed in epochs:
            found = epoch_of(store, BANDIT, POLICIES["thompson/2"], context, number)
            assert found is not None
            assert found.to_bytes() == packed


def assert_counted(learner: Learner, expected: Expected) -> None:
    total = asdict(learner.step().total)
    assert {name: value for name, value in total.items() if value} == {k: v for k, v in expected.counts.items() if v}


@pytest.mark.parametrize("seed", range(8))
def test_what_is_learnt_step_by_step_equals_the_recomputation(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    learner = Learner(store, store, SETTINGS)
    replay(history, store, clock, learner.step)
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(learner, expected)


def test_evidence_is_the_decayed_sum_of_all_outcomes(clock: Clock) -> None:
    store = MemoryStore(clock.seconds)
    history = random_history(3, slates=200)
    replay(history, store, clock, Learner(store, store, SETTINGS).step)
    for context, rows in recompute(history, END_MS).outcomes.items():
        state = PosteriorEpoch.from_bytes(store.posteriors(*context) or b"")
        times, arms, wins, weights = map(np.array, zip(*rows, strict=True))
        decayed = weights * 2.0 ** (-(state.applied_through_ms - times) / 1_000 / (BANDIT.half_life_hours * 3_600))
        for arm in state.arms:
            its = (arms == arm) | (arm == CONTEXT_ARM)
            sums = (decayed[its & wins].sum(), decayed[its & ~wins].sum())
            assert state.evidence(arm) == pytest.approx(sums, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_everything_at_once_is_what_step_by_step_is(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    replay(history, store, clock, lambda: None)
    learner = Learner(store, store, SETTINGS)
    expected = recompute(history, END_MS)
    learner.step()
    assert_learnt(store, expected)
    assert_counted(learner, expected)


@pytest.mark.parametrize("seed", range(4))
def test_a_new_process_for_every_step_changes_nothing(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    replay(history, store, clock, lambda: Learner(store, store, SETTINGS).step())
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(Learner(store, store, SETTINGS), expected)


@pytest.mark.parametrize("seed", range(4))
def test_two_learners_side_by_side_learn_everything_once(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    learners = [Learner(store, store, SETTINGS) for _ in range(2)]
    rng = np.random.default_rng(seed)
    replay(history, store, clock, lambda: [learners[place].step() for place in rng.integers(0, 2, 3)])
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(learners[0], expected)


class KilledError(Exception):
    """The process dies here."""


class Mortal:
    """A store that ends its learner at some call, before or after it took effect; or another acts just before it."""

    def __init__(self, store: Store, rng: np.random.Generator, meanwhile: Callable[[], object] | None = None) -> None:
        self._store, self._rng, self._meanwhile = store, rng, meanwhile

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._store, name)

        def call(*arguments: object) -> object:
            chance = self._rng.random()
            if chance < 0.04 and self._meanwhile is not None:
                self._meanwhile()
            elif chance < 0.04:
                raise KilledError
            found = method(*arguments)
            if self._meanwhile is None and chance > 0.96:
                raise KilledError
            return found

        return call


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_call_nothing_is_lost_or_doubled(store: Store, clock: Clock, seed: int) -> None:
    history = random_history(seed)
    rng = np.random.default_rng(seed)
    deaths = 0

    def look() -> None:
        nonlocal deaths
        mortal = Mortal(store, rng)
        try:
            Learner(mortal, mortal, SETTINGS).step()
        except KilledError:
            deaths += 1

    replay(history, store, clock, look)
    expected = recompute(history, END_MS)
    learner = Learner(store, store, SETTINGS)
    learner.step()
    assert deaths > 5
    assert_learnt(store, expected)
    assert_counted(learner, expected)


@pytest.mark.parametrize("seed", range(6))
def test_one_learner_acting_in_the_middle_of_anothers_step_changes_nothing(
    store: Store, clock: Clock, seed: int
) -> None:
    history = random_history(seed)
    other = Learner(store, store, SETTINGS)
    mortal = Mortal(store, np.random.default_rng(seed), other.step)
    replay(history, store, clock, Learner(mortal, mortal, SETTINGS).step)
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(other, expected)


def test_an_outage_in_the_middle_of_a_step_is_made_up_for(store: Store, clock: Clock) -> None:
    history = random_history(1)
    failing = Failing(store)
    learner = Learner(failing, failing, SETTINGS)

    def look() -> None:
        failing.calls = 0
        with pytest.raises(StoreUnavailableError):
            learner.step()

    replay(history, store, clock, look)
    failing.limit = 10**9
    learner.step()
    expected = recompute(history, END_MS)
    assert_learnt(store, expected)
    assert_counted(learner, expected)


class Failing:
    """A store that goes away after some calls."""

    def __init__(self, store: Store) -> None:
        self._store, self.calls, self.limit = store, 0, 4

    def __getattr__(self, name: str) -> Callable[..., object]:
        self.calls += 1
        if self.calls > self.limit:
            raise StoreUnavailableError("away")
        method: Callable[..., object] = getattr(self._store, name)
        return method
