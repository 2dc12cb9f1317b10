from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bandit.posteriors import APPLIED_KEPT, Outcomes, PosteriorEpoch, Prior, update, without_arms

T0 = datetime(2026, 1, 30, tzinfo=UTC)
HALF_LIFE = 3_600.0
START = PosteriorEpoch(0, Prior(1.0, 9.0))


def outcomes(*rows: tuple[str, bool, float]) -> Outcomes:
    """Arm, success, hours after T0."""
    return Outcomes(
        [arm for arm, _, _ in rows],
        np.array([won for _, won, _ in rows], bool),
        np.array([T0.timestamp() + hours * 3_600 for _, _, hours in rows]),
    )


def after(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def test_an_outcome_counts_half_after_a_half_life() -> None:
    epoch = update(START, outcomes(("x", True, 0), ("x", False, 1), ("y", False, 0)), "d1", after(1), HALF_LIFE)
    assert epoch.arms == ("x", "y")
    assert epoch.a == pytest.approx((1.5, 1.0))
    assert epoch.b == pytest.approx((10.0, 9.5))
    assert (epoch.epoch, epoch.as_of, epoch.applied) == (1, after(1), ("d1",))


def test_old_evidence_halves_but_the_prior_stays() -> None:
    first = update(START, outcomes(("x", True, 0)), "d1", after(0), HALF_LIFE)
    second = update(first, outcomes(), "d2", after(2), HALF_LIFE)
    assert second.a == pytest.approx((1.25,))
    assert second.b == pytest.approx((9.0,))


def test_the_order_of_batches_does_not_matter() -> None:
    early, late = outcomes(("x", True, 0), ("y", False, 0.5)), outcomes(("x", False, 3), ("z", True, 4))
    forward = update(update(START, early, "d1", after(1), HALF_LIFE), late, "d2", after(5), HALF_LIFE)
    backward = update(update(START, late, "d2", after(5), HALF_LIFE), early, "d1", after(1), HALF_LIFE)
    for arm in ("x", "y", "z"):
        assert np.allclose(forward.parameters([arm]), backward.parameters([arm]))
    assert forward.as_of == backward.as_of == after(5)


def test_a_batch_is_applied_once() -> None:
    once = update(START, outcomes(("x", True, 0)), "d1", after(1), HALF_LIFE)
    assert update(once, outcomes(("x", True, 0)), "d1", after(9), HALF_LIFE) is once


def test_a_batch_older_than_memory_is_refused() -> None:
    epoch = START
    for day in range(100, 100 + APPLIED_KEPT):
        epoch = update(epoch, outcomes(), f"d{day}", after(day), HALF_LIFE)
    assert update(epoch, outcomes(("x", True, 0)), "d099", after(0), HALF_LIFE) is epoch


def test_an_outcome_from_the_future_counts_no_more_than_whole() -> None:
    epoch = update(START, outcomes(("x", True, 100)), "d1", after(1), HALF_LIFE)
    assert epoch.a == pytest.approx((2.0,))


def test_an_arm_nobody_tried_has_the_prior() -> None:
    epoch = update(START, outcomes(("x", True, 0)), "d1", after(0), HALF_LIFE)
    a, b = epoch.parameters(["new", "x"])
    assert (a.tolist(), b.tolist()) == ([1.0, 2.0], [9.0, 9.0])


def test_arms_leave_and_come_back_as_new() -> None:
    epoch = update(START, outcomes(("x", True, 0), ("y", True, 0)), "d1", after(0), HALF_LIFE)
    smaller = without_arms(epoch, ["x"])
    assert (smaller.epoch, smaller.arms) == (2, ("y",))
    assert smaller.parameters(["x", "y"])[0].tolist() == [1.0, 2.0]


def test_an_epoch_reads_back_exactly() -> None:
    epoch = update(START, outcomes(("x", True, 0.1), ("ü/y", False, 0.7)), "d1", after(1), HALF_LIFE)
    assert PosteriorEpoch.from_json(epoch.to_json()) == epoch
    assert PosteriorEpoch.from_json(START.to_json()) == START
