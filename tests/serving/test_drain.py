from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from serving.side_effects.impressions import ImpressionLog

from bandit.arms import ArmSet, item_arm, streamer_arm
from bandit.policies.registry import LINEAR, POLICIES, Policy
from contracts import columns as c
from contracts.errors import SlateMismatchError, SlateNotFoundError
from contracts.settings import BanditSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION
from serving.drain import drain_impressions, recompute
from serving.epochs import ensure_contexts, linear_epoch, prior_epoch, stored_context
from serving.publish import publish
from serving.recommend import Recommender, to_request
from serving.slate import Slate
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.protocol import Store
from serving.wiring import Clients
from tests.serving.builders import DAY, NOW, small_platform

SERVED = datetime.combine(DAY, datetime.min.time(), NOW.tzinfo) + timedelta(hours=12)


@pytest.fixture
def clients(store: Store, tmp_path: Path) -> Clients:
    settings = Settings(home=tmp_path, bandit=BanditSettings(propensity_draws=5_000))
    warehouse = small_platform(tmp_path)
    ensure_contexts(store, settings.bandit, settings.candidates.surfaces)
    publish(warehouse, store, settings.serving, DAY, NOW)
    return Clients(store, InProcessCatalogue.latest(warehouse), settings)


def serve(clients: Clients, request_id: str, user: int | None = 1, at: datetime = SERVED) -> Slate:
    return Recommender(clients).recommend(to_request(request_id, user, "home_clips", 6, at, 100))


def warehouse(clients: Clients) -> Warehouse:
    return Warehouse(clients.settings.warehouse_path)


def drain(clients: Clients) -> list[dict[str, object]]:
    drain_impressions(warehouse(clients), clients.store, clients.settings, DAY, NOW)
    return list(warehouse(clients).read(IMPRESSION, DAY).to_pylist())


def test_every_position_becomes_a_row_with_all_that_is_needed_to_draw_it_again(clients: Clients) -> None:
    slate = serve(clients, "r1")
    rows = drain(clients)
    assert [row[c.ITEM_ID] for row in rows] == [item.item_id for item in slate.items]
    assert [row[c.POSITION] for row in rows] == [1, 2, 3, 4, 5, 6]
    first = rows[0]
    assert first[c.ARM_SET] == '{"arms": ["two_tower", "popular"], "counts": [3, 3]}'
    assert (first[c.USER_ID], first[c.SEGMENT], first[c.SEED]) == (1, "heavy", slate.seed)
    assert (first[c.GENERATION], first[c.MODEL_VERSION]) == (slate.generation, "7")
    assert first[c.SERVED_AT] == SERVED


def test_propensities_are_chances_and_the_last_arm_is_certain(clients: Clients) -> None:
    serve(clients, "r1")
    rows = drain(clients)
    assert all(0 < float(str(row[c.PROPENSITY])) <= 1 for row in rows)
    # With equal priors two arms have even chances at the top; at the last of six slots one arm is left.
    assert rows[0][c.PROPENSITY] == pytest.approx(0.5, abs=0.03)
    assert rows[-1][c.PROPENSITY] == 1.0


def test_draining_twice_gives_equal_rows(clients: Clients) -> None:
    for number in range(5):
        serve(clients, f"r{number}")
    first = drain(clients)
    assert len(first) == 30
    assert drain(clients) == first


def test_later_slates_join_what_the_partition_has(clients: Clients) -> None:
    serve(clients, "r1")
    first = drain(clients)
    serve(clients, "r2", user=None)
    rows = drain(clients)
    assert [row for row in rows if row[c.REQUEST_ID] == "r1"] == first
    assert {row[c.USER_ID] for row in rows if row[c.REQUEST_ID] == "r2"} == {None}


def test_of_a_request_served_twice_the_first_slate_holds(clients: Clients) -> None:
    serve(clients, "r1")
    serve(clients, "r1", user=2)
    assert {row[c.USER_ID] for row in drain(clients)} == {1}


@pytest.mark.parametrize(("hours", "counts"), [(-12.001, False), (-12, True), (11.999, True), (12, False)])
def test_only_the_days_own_slates_are_written(clients: Clients, hours: float, counts: bool) -> None:
    serve(clients, "r1", at=SERVED + timedelta(hours=hours))
    assert bool(drain(clients)) == counts


def test_a_logged_slate_is_drawn_again_exactly(clients: Clients) -> None:
    slates = [serve(clients, f"r{number}") for number in range(10)]
    drain(clients)
    for slate in slates:
        arms = recompute(warehouse(clients), clients.store, clients.settings, DAY, slate.request_id)
        assert arms == tuple(item.source for item in slate.items)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
@pytest.mark.parametrize("epoch", [0, 4])
def test_a_slate_of_any_policy_is_drawn_again_exactly(clients: Clients, policy: Policy, epoch: int) -> None:
    """Items are the arms, with parents and features; the log has all that is needed beside the epoch."""
    served = serve(clients, "r0")
    arms = ArmSet(
        tuple(item_arm(item.item_id) for item in served.items),
        (1,) * 6,
        tuple((streamer_arm(item.streamer_id), item.source) for item in served.items),
        tuple((1.0, 0.1 * item.rank) for item in served.items),
    )
    bandit = clients.settings.bandit
    start = linear_epoch(bandit, 2) if policy.state == LINEAR else prior_epoch(bandit)
    state = replace(start, epoch=epoch)
    clients.store.put_epoch(stored_context(policy, "home_clips", "heavy"), epoch, state.to_bytes(), 60)
    order = policy.select(state, arms, 6, served.seed)
    slate = replace(
        served,
        request_id="r1",
        policy_id=policy.policy_id,
        posterior_epoch=epoch,
        arms=arms.arms,
        counts=arms.counts,
        parents=arms.parents,
        features=arms.features,
        items=tuple(replace(served.items[arm], rank=rank) for rank, arm in enumerate(order, start=1)),
    )
    ImpressionLog(clients.store, 100).after(slate)
    rows = [row for row in drain(clients) if row[c.REQUEST_ID] == "r1"]
    drawn = recompute(warehouse(clients), clients.store, clients.settings, DAY, "r1")
    assert drawn == tuple(arms.arms[arm] for arm in order)
    expected = policy.propensities(state, bandit.propensity_draws)(arms, order)
    assert [row[c.PROPENSITY] for row in rows] == pytest.approx(expected.tolist())


def test_a_slate_of_a_policy_that_is_gone_has_no_propensity_and_cannot_be_drawn_again(clients: Clients) -> None:
    slate = serve(clients, "r1")
    ImpressionLog(clients.store, 100).after(replace(slate, request_id="r2", policy_id="thompson/1"))
    report = drain_impressions(warehouse(clients), clients.store, clients.settings, DAY, NOW)
    assert (report.rows, report.without_propensity) == (12, 6)
    with pytest.raises(SlateMismatchError, match="request r2 was served by thompson/1; this version has thompson/2"):
        recompute(warehouse(clients), clients.store, clients.settings, DAY, "r2")


def test_a_slate_that_was_tampered_with_is_found_out(clients: Clients) -> None:
    slate = serve(clients, "r1")
    other = "popular" if slate.items[0].source == "two_tower" else "two_tower"
    tampered = replace(slate, request_id="r2", items=(replace(slate.items[0], source=other), *slate.items[1:]))
    ImpressionLog(clients.store, 100).after(tampered)
    drain(clients)
    with pytest.raises(SlateMismatchError, match="request r2 was served"):
        recompute(warehouse(clients), clients.store, clients.settings, DAY, "r2")


def test_a_request_that_was_not_served_is_named(clients: Clients) -> None:
    drain(clients)
    with pytest.raises(SlateNotFoundError, match="request nobody has no impression on 2026-01-30"):
        recompute(warehouse(clients), clients.store, clients.settings, DAY, "nobody")
