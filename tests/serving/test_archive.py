"""Slates are recomputed from the epochs that were drained with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bandit.arms import ArmSet
from bandit.outcomes import Outcomes
from bandit.policies.registry import POLICIES
from bandit.posteriors import PosteriorEpoch
from contracts import columns as c
from contracts.errors import SlateNotFoundError
from contracts.names import STREAM_IMPRESSIONS
from contracts.payload import SOURCES, encode
from contracts.settings import BanditSettings, ServingSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION, POSTERIOR_EPOCH
from serving.drain import drain_impressions, recompute
from serving.epochs import prior_epoch, update_context
from serving.impressions import read_entry
from serving.stores.event_log import START
from serving.stores.memory import MemoryStore
from tests.serving.builders import NOW
from tests.serving.learning.histories import ARMS, Shown

CONTEXT = ("home_clips", "light")
START_AT = datetime(2026, 1, 30, 12, tzinfo=UTC)
DAY = START_AT.date()


class Clock:
    now = START_AT

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock)


def settings_in(home: Path) -> Settings:
    bandit = BanditSettings(epoch_ttl_days=1.0, propensity_draws=100)
    return Settings(home=home, bandit=bandit, serving=ServingSettings(stream_keep_hours=24.0))


def learn(store: MemoryStore, settings: Settings, at: datetime, arm: str) -> None:
    outcomes = Outcomes([arm], np.array([True]), np.array([at.timestamp()]))
    update_context(store, settings.bandit, CONTEXT, outcomes, int(at.timestamp() * 1_000))


def serve(store: MemoryStore, settings: Settings, request: str, at: datetime) -> None:
    policy = POLICIES["thompson/2"]
    found = store.posteriors(*CONTEXT)
    epoch = PosteriorEpoch.from_bytes(found) if found is not None else prior_epoch(settings.bandit)
    slate = policy.select(epoch, ArmSet(ARMS, (9, 9, 9)), 5, 7)
    arms = tuple(ARMS[arm] for arm in slate)
    entry = msgspec.structs.replace(
        read_entry(Shown(request, 1, CONTEXT, arms).body()),
        epoch=epoch.epoch,
        seed=7,
        sources=encode(arms, SOURCES).tolist(),
        served_at=at.isoformat(),
    )
    store.append(STREAM_IMPRESSIONS, msgspec.json.encode(entry), 100)


def test_a_slate_is_recomputed_when_redis_has_let_its_epoch_go(
    store: MemoryStore, clock: Clock, tmp_path: Path
) -> None:
    settings, warehouse = settings_in(tmp_path), Warehouse(tmp_path / "warehouse")
    for hour, arm in enumerate(("popular", "fresh", "popular")):
        learn(store, settings, START_AT + timedelta(hours=hour), arm)
        serve(store, settings, f"r{hour}", START_AT + timedelta(hours=hour))
    report = drain_impressions(warehouse, store, settings, DAY, NOW)
    assert (report.slates, report.without_propensity, report.unreadable) == (3, 0, 0)
    assert warehouse.read(POSTERIOR_EPOCH, DAY).column(c.POSTERIOR_EPOCH).to_pylist() == [1, 2, 3]
    clock.now = START_AT + timedelta(days=5)
    assert store.posterior_epoch(*CONTEXT, 1) is None
    for hour in range(3):
        assert len(recompute(warehouse, store, settings, DAY, f"r{hour}")) == 5
    before = warehouse.read(IMPRESSION, DAY)
    drain_impressions(warehouse, store, settings, DAY, NOW)
    assert warehouse.read(IMPRESSION, DAY).equals(before)
    assert warehouse.read(POSTERIOR_EPOCH, DAY).num_rows == 3


def test_an_epoch_that_is_current_for_longer_than_followed_ones_stay_is_found(
    store: MemoryStore, clock: Clock, tmp_path: Path
) -> None:
    settings, warehouse = settings_in(tmp_path), Warehouse(tmp_path / "warehouse")
    learn(store, settings, START_AT, "popular")
    clock.now = START_AT + timedelta(days=5)
    serve(store, settings, "r1", clock.now)
    learn(store, settings, clock.now, "fresh")
    report = drain_impressions(warehouse, store, settings, clock.now.date(), NOW)
    assert report.without_propensity == 0


def test_an_epoch_that_nobody_drained_in_time_is_named(store: MemoryStore, clock: Clock, tmp_path: Path) -> None:
    settings, warehouse = settings_in(tmp_path), Warehouse(tmp_path / "warehouse")
    learn(store, settings, START_AT, "popular")
    serve(store, settings, "r1", START_AT)
    learn(store, settings, START_AT + timedelta(hours=1), "popular")
    clock.now = START_AT + timedelta(days=2)
    assert drain_impressions(warehouse, store, settings, DAY, NOW).without_propensity == 5
    with pytest.raises(SlateNotFoundError, match="epoch 1 of request r1 has expired"):
        recompute(warehouse, store, settings, DAY, "r1")


def test_a_drain_passes_rubbish_by_and_lets_old_entries_go(store: MemoryStore, clock: Clock, tmp_path: Path) -> None:
    settings, warehouse = settings_in(tmp_path), Warehouse(tmp_path / "warehouse")
    store.append(STREAM_IMPRESSIONS, b"rubbish", 100)
    serve(store, settings, "r1", START_AT)
    clock.now = START_AT + timedelta(hours=23)
    report = drain_impressions(warehouse, store, settings, DAY, NOW)
    assert (report.slates, report.unreadable, report.stream_begins) == (1, 1, START_AT.isoformat())
    assert len(store.read_from(STREAM_IMPRESSIONS, START, 9)) == 2
    clock.now = START_AT + timedelta(hours=25)
    assert drain_impressions(warehouse, store, settings, DAY, NOW).slates == 1
    assert store.read_from(STREAM_IMPRESSIONS, START, 9) == []
    assert drain_impressions(warehouse, store, settings, DAY, NOW).stream_begins is None


def test_a_learner_lets_go_by_itself_so_a_drain_does_not(store: MemoryStore, clock: Clock, tmp_path: Path) -> None:
    settings, warehouse = settings_in(tmp_path), Warehouse(tmp_path / "warehouse")
    stream = settings.model_copy(update={"bandit": settings.bandit.model_copy(update={"updates": "stream"})})
    serve(store, settings, "r1", START_AT)
    clock.now = START_AT + timedelta(hours=25)
    drain_impressions(warehouse, store, stream, DAY, NOW)
    assert len(store.read_from(STREAM_IMPRESSIONS, START, 9)) == 1
