import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bandit.posteriors import PosteriorEpoch
from contracts import columns as c
from contracts.errors import EpochConflictError, MissingPartitionError
from contracts.settings import BanditSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION, VIEW_VALUE
from serving.epochs import prior_epoch
from serving.posteriors import ContextUpdate, update_posteriors
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from tests.serving.builders import DAY, NOW, view, write

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)
ARMS = ("two_tower", "popular", "two_tower", "preferred")


def slate(
    request_id: str = "r1", user: int | None = 1, at: datetime = NOON, segment: str = "light"
) -> list[dict[str, Any]]:
    """Contents 100 to 103, one per arm of ARMS."""
    return [
        {
            c.REQUEST_ID: request_id,
            c.USER_ID: user,
            c.SEGMENT: segment,
            c.SURFACE: "home_clips",
            c.POSITION: position,
            c.ITEM_KIND: "clip",
            c.ITEM_ID: 99 + position,
            c.STREAMER_ID: 10,
            c.SOURCE: arm,
            c.POLICY_ID: "thompson/1",
            c.POSTERIOR_EPOCH: 0,
            c.SEED: 1,
            c.ARM_SET: '{"arms": ["two_tower", "popular", "preferred"], "counts": [2, 1, 1]}',
            c.GENERATION: "g",
            c.SERVED_AT: at,
        }
        for position, arm in enumerate(ARMS, start=1)
    ]


def run(
    store: Store, root: Path, impressions: list[dict[str, Any]], *views: dict[str, Any], following: bool = False
) -> list[ContextUpdate]:
    warehouse = Warehouse(root / "warehouse")
    write(warehouse, IMPRESSION, DAY, impressions)
    write(warehouse, VIEW_VALUE, DAY, list(views))
    if following:
        write(warehouse, VIEW_VALUE, DAY + timedelta(days=1), [])
    return update_posteriors(warehouse, store, Settings(home=root), DAY)


def counted(updates: list[ContextUpdate]) -> list[tuple[int, int]]:
    return [(update.successes, update.failures) for update in updates]


MINUTE = timedelta(minutes=1)
NOT_VALUED = {c.IS_VALUED: False}


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        pytest.param([view(1, 102, NOON + MINUTE)], [(1, 2)], id="valued at the third: two above it were passed over"),
        pytest.param([view(1, 100, NOON + MINUTE)], [(1, 0)], id="what is below the last use is not judged"),
        pytest.param([view(1, 102, NOON + 30 * MINUTE)], [(1, 2)], id="the last moment of the window"),
        pytest.param([view(1, 102, NOON + 31 * MINUTE)], [], id="after the window"),
        pytest.param([view(1, 102, NOON - MINUTE)], [], id="before it was served"),
        pytest.param([view(2, 102, NOON + MINUTE)], [], id="somebody else"),
        pytest.param([view(1, 999, NOON + MINUTE)], [], id="something else"),
        pytest.param([view(1, 102, NOON + MINUTE, **NOT_VALUED)], [], id="watched, neither valued nor chosen"),
        pytest.param(
            [view(1, 101, NOON + MINUTE, **NOT_VALUED, **{c.IS_CLICK: True})], [(0, 2)], id="chosen but not valued"
        ),
        pytest.param(
            [view(1, 102, NOON - 9 * MINUTE, **{c.LAST_EVENT_TIME: NOON + MINUTE})],
            [(1, 2)],
            id="went on after serving",
        ),
        pytest.param([], [], id="nothing was used: nothing was examined"),
    ],
)
def test_what_an_impression_is_judged(
    tmp_path: Path, views: list[dict[str, Any]], expected: list[tuple[int, int]]
) -> None:
    assert counted(run(MemoryStore(lambda: 0.0), tmp_path, slate(), *views)) == expected


def test_an_epoch_follows_per_surface_and_segment(store: Store, tmp_path: Path) -> None:
    impressions = [*slate("r1", 1, segment="light"), *slate("r2", 2, segment="heavy")]
    updates = run(store, tmp_path, impressions, view(1, 101, NOON), view(2, 100, NOON))
    assert [(update.segment, update.epoch) for update in updates] == [("heavy", 1), ("light", 1)]
    epoch = PosteriorEpoch.from_bytes(store.posteriors("home_clips", "light") or b"")
    # Twelve hours from serving to the end of the day, of a half-life of 72.
    weight = 2 ** (-12 / 72)
    assert epoch.arms == ("context", "popular", "two_tower")
    assert epoch.successes == pytest.approx((weight, weight, 0))
    assert epoch.failures == pytest.approx((weight, 0, weight))
    assert epoch.applied_through_ms == datetime(2026, 1, 31, tzinfo=UTC).timestamp() * 1_000


def test_a_day_is_applied_once(store: Store, tmp_path: Path) -> None:
    first = run(store, tmp_path, slate(), view(1, 101, NOON))
    before = store.posteriors("home_clips", "light")
    again = run(store, tmp_path, slate(), view(1, 101, NOON))
    assert [update.was_applied for update in (*first, *again)] == [False, True]
    assert store.posteriors("home_clips", "light") == before


def test_items_as_arms_teach_their_parents_too(tmp_path: Path) -> None:
    chosen = {
        "arms": ["item:100", "item:101", "item:102", "item:103"],
        "counts": [1, 1, 1, 1],
        "parents": [["streamer:10", arm] for arm in ARMS],
    }
    rows = [{**row, c.ARM_SET: json.dumps(chosen)} for row in slate()]
    store = MemoryStore(lambda: 0.0)
    assert counted(run(store, tmp_path, rows, view(1, 101, NOON))) == [(1, 1)]
    epoch = PosteriorEpoch.from_bytes(store.posteriors("home_clips", "light") or b"")
    assert epoch.arms == ("context", "item:100", "item:101", "popular", "streamer:10", "two_tower")
    weight = 2 ** (-12 / 72)
    assert epoch.evidence("streamer:10") == pytest.approx((weight, weight))
    assert epoch.evidence("two_tower") == pytest.approx((0, weight))


def test_a_context_follows_the_settings_as_they_are_now(tmp_path: Path) -> None:
    store = MemoryStore(lambda: 0.0)
    old = BanditSettings(prior_successes=3.0, epsilon=0.5)
    store.put_epoch(("home_clips", "light"), replace(prior_epoch(old), epoch=4).to_bytes(), None, 60)
    run(store, tmp_path, slate(), view(1, 101, NOON))
    epoch = PosteriorEpoch.from_bytes(store.posteriors("home_clips", "light") or b"")
    assert epoch.epoch == 5
    now = prior_epoch(BanditSettings())
    assert (epoch.prior, epoch.exploration) == (now.prior, now.exploration)


def test_nobody_signed_in_teaches_nothing(tmp_path: Path) -> None:
    assert run(MemoryStore(lambda: 0.0), tmp_path, slate(user=None), view(1, 101, NOON)) == []


@pytest.mark.parametrize(("following", "expected"), [(False, []), (True, [(1, 0)])])
def test_a_window_open_at_midnight_waits_for_the_next_days_views(
    tmp_path: Path, following: bool, expected: list[tuple[int, int]]
) -> None:
    late = NOON + timedelta(hours=11, minutes=45)
    updates = run(MemoryStore(lambda: 0.0), tmp_path, slate(at=late), view(1, 100, late + MINUTE), following=following)
    assert counted(updates) == expected


def test_an_item_watched_on_two_days_is_one_success(tmp_path: Path) -> None:
    views = [view(1, 100, NOON), view(1, 100, NOON + MINUTE, **{c.VIEW_DAY: DAY - timedelta(days=1)})]
    assert counted(run(MemoryStore(lambda: 0.0), tmp_path, slate(), *views)) == [(1, 0)]


def test_a_day_that_was_not_drained_says_so(store: Store, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, VIEW_VALUE, DAY, [view(1, 100, NOON)])
    with pytest.raises(MissingPartitionError, match="run first: python -m serving drain_impressions"):
        update_posteriors(warehouse, store, Settings(home=tmp_path), DAY)


class SlowReader(MemoryStore):
    """Reads posteriors before another update has written its epoch."""

    def posteriors(self, *_: str) -> bytes | None:
        return None


def test_two_updates_at_once_do_not_both_count(tmp_path: Path) -> None:
    store = SlowReader(NOW.timestamp)
    run(store, tmp_path, slate(), view(1, 101, NOON))
    with pytest.raises(EpochConflictError, match="home_clips/light was changed by others 3 times meanwhile; run again"):
        run(store, tmp_path, slate(), view(1, 101, NOON))
