import struct

import numpy as np
import pytest

from bandit.arms import CONTEXT, ArmSet, item_arm, streamer_arm
from bandit.posteriors import Bound, Exploration, Outcomes, PosteriorEpoch, Prior, update
from contracts.errors import PayloadError

T0 = 1_769_731_200.0
HALF_LIFE = 3_600.0
START = PosteriorEpoch(0, Prior(1.0, 9.0))
X, Y = "two_tower", "popular"


def outcomes(*rows: tuple[str, bool, float], parents: tuple[tuple[str, ...], ...] = ()) -> Outcomes:
    """Arm, success, hours after T0."""
    return Outcomes(
        [arm for arm, _, _ in rows],
        np.array([won for _, won, _ in rows], bool),
        np.array([T0 + hours * 3_600 for _, _, hours in rows]),
        parents,
    )


def after(hours: float) -> int:
    return round(1_000 * (T0 + 3_600 * hours))


def beta(epoch: PosteriorEpoch, arm: str, *parents: str) -> tuple[float, float]:
    a, b = epoch.parameters(ArmSet((arm,), (1,), (parents,) if parents else ()))
    return float(a[0]), float(b[0])


def test_an_outcome_counts_half_after_a_half_life() -> None:
    epoch = update(START, outcomes((X, True, 0), (X, False, 1), (Y, False, 0)), after(1), HALF_LIFE)
    assert (epoch.evidence(X), epoch.evidence(Y)) == (pytest.approx((0.5, 1.0)), pytest.approx((0.0, 0.5)))
    assert epoch.evidence(CONTEXT) == pytest.approx((0.5, 1.5))
    assert (epoch.epoch, epoch.applied_through_ms) == (1, after(1))


def test_old_evidence_halves_but_the_prior_stays() -> None:
    first = update(START, outcomes((X, True, 0)), after(0), HALF_LIFE)
    second = update(first, outcomes(), after(2), HALF_LIFE)
    assert second.evidence(X) == pytest.approx((0.25, 0.0))
    mean = 1.25 / 10.25
    assert beta(second, X) == pytest.approx((10 * mean + 0.25, 10 * (1 - mean)))


def test_the_size_of_batches_does_not_matter() -> None:
    early, late = ((X, True, 0.0), (Y, False, 0.5)), ((X, False, 3.0), (X, True, 4.0))
    halves = update(update(START, outcomes(*early), after(1), HALF_LIFE), outcomes(*late), after(5), HALF_LIFE)
    whole = update(START, outcomes(*late, *early), after(5), HALF_LIFE)
    for arm in (X, Y):
        assert halves.evidence(arm) == pytest.approx(whole.evidence(arm))


@pytest.mark.parametrize("hours", [1, 0.5, -9])
def test_outcomes_up_to_the_watermark_are_applied_once(hours: float) -> None:
    once = update(START, outcomes((X, True, 0)), after(1), HALF_LIFE)
    assert update(once, outcomes((X, True, 0)), after(hours), HALF_LIFE) is once


def test_an_outcome_from_the_future_counts_no_more_than_whole() -> None:
    assert update(START, outcomes((X, True, 100)), after(1), HALF_LIFE).evidence(X) == pytest.approx((1.0, 0.0))


def test_an_outcome_counts_by_its_weight() -> None:
    weighed = Outcomes([X, X], np.array([True, False]), np.array([T0, T0]), weights=np.array([1.0, 0.25]))
    assert update(START, weighed, after(0), HALF_LIFE).evidence(X) == pytest.approx((1.0, 0.25))


def test_an_arm_nobody_tried_has_the_mean_of_the_context() -> None:
    assert beta(START, X) == pytest.approx((1.0, 9.0))
    assert beta(update(START, outcomes((Y, True, 0)), after(0), HALF_LIFE), X) == pytest.approx((20 / 11, 90 / 11))


def test_an_outcome_counts_for_the_parents_of_its_arm() -> None:
    rows = (item_arm(1), True, 0.0), (item_arm(2), False, 0.0)
    epoch = update(START, outcomes(*rows, parents=((streamer_arm(7), X), (X,))), after(0), HALF_LIFE)
    assert [epoch.evidence(arm) for arm in ("item:1", "item:2", "streamer:7", X)] == [(1, 0), (0, 1), (1, 0), (1, 1)]


def test_the_prior_of_an_arm_is_the_mean_of_its_parents() -> None:
    prior = Prior(1.0, 9.0, streamer_strength=4.0, source_strength=20.0, context_strength=8.0)
    epoch = PosteriorEpoch(3, prior, ("item:1", "streamer:7", X, CONTEXT), (1, 2, 5, 10), (0, 3, 15, 20))
    context = (1 + 10) / (1 + 9 + 10 + 20)
    source = (8 * context + 5) / (8 + 5 + 15)
    streamer = (20 * source + 2) / (20 + 2 + 3)
    assert beta(epoch, "item:1", "streamer:7", X) == pytest.approx((4 * streamer + 1, 4 * (1 - streamer)))
    assert beta(epoch, "item:2", "streamer:8", X) == pytest.approx((4 * source, 4 * (1 - source)))


def test_siblings_share_their_parents_and_keep_their_order() -> None:
    epoch = PosteriorEpoch(3, Prior(1.0, 9.0), ("item:1", "streamer:7"), (1, 2), (0, 3))
    a, b = epoch.parameters(ArmSet(("item:2", "item:1", X), (1, 1, 1), (("streamer:7",), ("streamer:7",), ())))
    assert a.tolist() == pytest.approx([2.0, 3.0, 1.0])
    assert b.tolist() == pytest.approx([8.0, 8.0, 9.0])


def test_weak_arms_leave_when_there_are_too_many_but_sources_stay() -> None:
    rows = [(item_arm(number), True, -number) for number in range(8)]
    chains = ((X,),) * 8
    epoch = update(START, outcomes(*rows, parents=chains), after(0), HALF_LIFE, Bound(6, 0.2))
    assert epoch.arms == ("context", "item:0", "item:1", "item:2", X)
    assert update(epoch, outcomes(), after(9), HALF_LIFE, Bound(6, 0.2)).arms == epoch.arms
    assert update(epoch, outcomes(), after(9), HALF_LIFE, Bound(4, 0.2)).arms == ("context", X)


def test_a_state_never_holds_more_arms_than_its_bound() -> None:
    rows = [(item_arm(number), True, -number / 100) for number in range(50)]
    epoch = update(START, outcomes(*rows), after(0), HALF_LIFE, Bound(10, 0.1))
    assert epoch.arms == (CONTEXT, *sorted(item_arm(number) for number in range(9)))


@pytest.mark.parametrize("epoch", [START, PosteriorEpoch(2**40, Prior(0.1, 1 / 3), (), (), (), 5)])
def test_an_epoch_without_arms_reads_back(epoch: PosteriorEpoch) -> None:
    assert PosteriorEpoch.from_bytes(epoch.to_bytes()) == epoch


def test_an_epoch_reads_back_exactly() -> None:
    arms = ("exploration/newcomer", X, item_arm(2**63 - 1), item_arm(-5), streamer_arm(45), CONTEXT)
    numbers = tuple(np.random.default_rng(1).random(6).tolist())
    epoch = PosteriorEpoch(7, Prior(1 / 3, 9.1, 2.0, 3.0, 4.0), arms, numbers, numbers, after(1), Exploration(0.5, 0.0))
    assert PosteriorEpoch.from_bytes(epoch.to_bytes()) == epoch
    assert len(epoch.to_bytes()) - len(START.to_bytes()) == 25 * len(arms)


GOOD = PosteriorEpoch(7, Prior(1.0, 9.0), (X,), (1.0,), (2.0,)).to_bytes()


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "version none; this reader knows 01"),
        (b"{" + GOOD[1:], "version 7b"),
        (b"\x02" + GOOD[1:], "version 02"),
        (GOOD[:20], "20 bytes is shorter than its header of 77"),
        (GOOD[:-1], "101 bytes where its header says 1 arms"),
        (GOOD + b"x", "103 bytes"),
        (GOOD[:77] + b"\x09" + GOOD[78:], "arm of kind 9"),
        (GOOD[:78] + b"\xff" + GOOD[79:], "arm of kind 0 and id 255"),
        (GOOD[:-8] + struct.pack("<d", float("nan")), "it is corrupt"),
        (GOOD[:-8] + struct.pack("<d", -1.0), "it is corrupt"),
        (GOOD[:17] + struct.pack("<d", 0.0) + GOOD[25:], "it is corrupt"),
    ],
)
def test_a_corrupt_state_or_another_version_is_named(packed: bytes, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        PosteriorEpoch.from_bytes(packed)


@pytest.mark.parametrize("arm", ["x", "item:", "item:x", "streamer:1.5", "live:4", "item:9223372036854775808"])
def test_an_arm_of_no_kind_cannot_be_stored(arm: str) -> None:
    with pytest.raises(PayloadError, match="no arm is called"):
        PosteriorEpoch(1, Prior(1.0, 9.0), (arm,), (1.0,), (1.0,)).to_bytes()
