from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from bandit.arms import ArmSet, item_arm, streamer_arm
from bandit.policies.registry import LINEAR, POLICIES, Policy
from contracts import columns as c
from contracts.errors import SlateMismatchError, SlateNotFoundError
from contracts.tables import IMPRESSION
from serving.drain import drain_impressions, recompute
from serving.epochs import linear_epoch, prior_epoch, stored_context
from serving.impressions import read_entry, to_entry
from serving.slate import Slate
from serving.stores.protocol import StoredEpoch
from tests.serving.builders import DAY, NOW
from tests.serving.platform import Platform

SERVED = datetime.combine(DAY, datetime.min.time(), NOW.tzinfo) + timedelta(hours=12)


def serve(platform: Platform, request_id: str, user: int | None = 1, at: datetime = SERVED) -> Slate:
    return platform.ask(user, limit=6, request_id=request_id, at=at)


def drain(platform: Platform) -> list[dict[str, object]]:
    drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, NOW)
    return list(platform.warehouse.read(IMPRESSION, DAY).to_pylist())


def drawn_again(platform: Platform, request_id: str) -> tuple[str, ...]:
    return recompute(platform.warehouse, platform.store, platform.settings, DAY, request_id)


def log_changed(platform: Platform, slate: Slate, **changes: object) -> None:
    """Log a slate as if something of it had been otherwise."""
    entry = msgspec.structs.replace(read_entry(to_entry(slate)), **changes)
    platform.store.log_slate(entry.request_id, msgspec.json.encode(entry), 1_000, 60)


def test_every_position_becomes_a_row_with_all_that_is_needed_to_draw_it_again(platform: Platform) -> None:
    slate = serve(platform, "r1")
    rows = drain(platform)
    assert [row[c.ITEM_ID] for row in rows] == [item.item_id for item in slate.items]
    assert [row[c.POSITION] for row in rows] == [1, 2, 3, 4, 5, 6]
    first = rows[0]
    assert first[c.ARM_SET] == '{"arms":["two_tower","popular"],"counts":[3,3]}'
    assert (first[c.USER_ID], first[c.SEGMENT], first[c.SEED]) == (1, "heavy", slate.query.request.seed)
    assert (first[c.GENERATION], first[c.MODEL_VERSION]) == (slate.query.generation.name, "7")
    assert first[c.SERVED_AT] == SERVED


def test_propensities_are_chances_and_the_last_arm_is_certain(platform: Platform) -> None:
    serve(platform, "r1")
    rows = drain(platform)
    assert all(0 < float(str(row[c.PROPENSITY])) <= 1 for row in rows)
    # With equal priors two arms have even chances at the top; at the last of six slots one arm is left.
    assert rows[0][c.PROPENSITY] == pytest.approx(0.5, abs=0.03)
    assert rows[-1][c.PROPENSITY] == 1.0


def test_draining_twice_gives_equal_rows(platform: Platform) -> None:
    for number in range(5):
        serve(platform, f"r{number}")
    first = drain(platform)
    assert len(first) == 30
    assert drain(platform) == first


def test_later_slates_join_what_the_partition_has(platform: Platform) -> None:
    serve(platform, "r1")
    first = drain(platform)
    serve(platform, "r2", user=None)
    rows = drain(platform)
    assert [row for row in rows if row[c.REQUEST_ID] == "r1"] == first
    assert {row[c.USER_ID] for row in rows if row[c.REQUEST_ID] == "r2"} == {None}


def test_of_a_request_served_twice_the_first_slate_holds(platform: Platform) -> None:
    serve(platform, "r1")
    serve(platform, "r1", user=2)
    assert {row[c.USER_ID] for row in drain(platform)} == {1}


@pytest.mark.parametrize(("hours", "counts"), [(-12.001, False), (-12, True), (11.999, True), (12, False)])
def test_only_the_days_own_slates_are_written(platform: Platform, hours: float, counts: bool) -> None:
    serve(platform, "r1", at=SERVED + timedelta(hours=hours))
    assert bool(drain(platform)) == counts


def test_a_logged_slate_is_drawn_again_exactly(platform: Platform) -> None:
    slates = [serve(platform, f"r{number}") for number in range(10)]
    drain(platform)
    for slate in slates:
        arms = drawn_again(platform, slate.query.request.request_id)
        assert arms == tuple(item.source for item in slate.items)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
@pytest.mark.parametrize("epoch", [0, 4])
def test_a_slate_of_any_policy_is_drawn_again_exactly(platform: Platform, policy: Policy, epoch: int) -> None:
    """Items are the arms, with parents and features; the log has all that is needed beside the epoch."""
    served = serve(platform, "r0")
    arms = ArmSet(
        tuple(item_arm(item.item_id) for item in served.items),
        (1,) * 6,
        tuple((streamer_arm(item.streamer_id), item.source) for item in served.items),
        tuple((1.0, 0.1 * item.rank) for item in served.items),
    )
    bandit = platform.settings.bandit
    start = linear_epoch(bandit, 2) if policy.state == LINEAR else prior_epoch(bandit)
    state = replace(start, epoch=epoch)
    context = stored_context(policy, "home_clips", "heavy")
    before = platform.store.posteriors(*context)
    follows = None if before is None else StoredEpoch(0, before)
    assert platform.store.put_epoch(context, state.to_bytes(), follows, 60)
    order = policy.select(state, arms, 6, served.query.request.seed)
    entry = read_entry(to_entry(served))
    log_changed(
        platform,
        served,
        request_id="r1",
        policy_id=policy.policy_id,
        epoch=epoch,
        arms=arms.arms,
        counts=arms.counts,
        parents=arms.parents,
        features=arms.features,
        item_ids=[entry.item_ids[arm] for arm in order],
        streamer_ids=[entry.streamer_ids[arm] for arm in order],
        sources=[entry.sources[arm] for arm in order],
    )
    rows = [row for row in drain(platform) if row[c.REQUEST_ID] == "r1"]
    assert drawn_again(platform, "r1") == tuple(arms.arms[arm] for arm in order)
    expected = policy.propensities(state, bandit.propensity_draws)(arms, order)
    assert [row[c.PROPENSITY] for row in rows] == pytest.approx(expected.tolist())


def test_a_slate_of_a_policy_that_is_gone_has_no_propensity_and_cannot_be_drawn_again(platform: Platform) -> None:
    slate = serve(platform, "r1")
    log_changed(platform, slate, request_id="r2", policy_id="thompson/1")
    report = drain_impressions(platform.warehouse, platform.store, platform.settings, DAY, NOW)
    assert (report.rows, report.without_propensity) == (12, 6)
    with pytest.raises(SlateMismatchError, match="request r2 was served by thompson/1; this version has thompson/2"):
        drawn_again(platform, "r2")


def test_a_slate_that_was_tampered_with_is_found_out(platform: Platform) -> None:
    slate = serve(platform, "r1")
    first, *rest = read_entry(to_entry(slate)).sources
    other = next(source for source in rest if source != first)
    log_changed(platform, slate, request_id="r2", sources=[other, *rest])
    drain(platform)
    with pytest.raises(SlateMismatchError, match="request r2 was served"):
        drawn_again(platform, "r2")


def test_a_request_that_was_not_served_is_named(platform: Platform) -> None:
    drain(platform)
    with pytest.raises(SlateNotFoundError, match="request nobody has no impression on 2026-01-30"):
        drawn_again(platform, "nobody")
