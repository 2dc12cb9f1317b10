"""Curves of posteriors, against scipy's Beta."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from bandit.arms import ArmSet
from contracts.settings import BanditSettings
from serving.epochs import prior_epoch
from serving.http.densities import HEIGHT, WIDTH, plot

PRIOR = prior_epoch(BanditSettings(prior_successes=1.0, prior_failures=9.0, context_strength=10.0))


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize(("won", "lost"), [(0.0, 0.0), (3.0, 40.0), (5_000.0, 45_000.0), (2e6, 1e6), (200.0, 0.0)])
def test_an_interval_holds_nine_tenths_of_the_belief(won: float, lost: float) -> None:
    epoch = replace(PRIOR, epoch=1, arms=("popular",), successes=(won,), failures=(lost,))
    (curve,) = plot(epoch, ArmSet(("popular",), (3,)), ["popular"] * 2).curves
    (a,), (b,) = epoch.parameters(ArmSet(("popular",), (3,)))
    exact = beta(a, b)
    assert curve.mean == pytest.approx(exact.mean())
    assert exact.cdf(curve.high) - exact.cdf(curve.low) == pytest.approx(0.9, abs=0.02)
    assert exact.cdf(curve.low) == pytest.approx(0.05, abs=0.02)
    assert (curve.slots, curve.won, curve.lost) == (2, won, lost)


def test_curves_stay_in_the_drawing_and_peak_at_the_mode() -> None:
    epoch = replace(PRIOR, epoch=1, arms=("popular", "fresh"), successes=(20.0, 2.0), failures=(80.0, 90.0))
    for curve, mode in zip(
        plot(epoch, ArmSet(("fresh", "popular"), (1, 2)), []).curves, (20 / 108, 2 / 100), strict=True
    ):
        drawn = points(curve.outline)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)
        top = min(drawn, key=lambda point: point[1])[0]
        assert top / WIDTH * reach(epoch, ("fresh", "popular")) == pytest.approx(mode, abs=0.01)


def reach(epoch: object, arms: tuple[str, ...]) -> float:
    """Where the axis ends, from a curve's mean and where it is drawn."""
    curve = plot(epoch, ArmSet(arms, (1, 2)), []).curves[0]  # type: ignore[arg-type]
    return curve.mean / (curve.middle / WIDTH)


def test_the_best_dozen_of_many_arms_is_drawn_best_first() -> None:
    arms = tuple(f"item:{number}" for number in range(40))
    epoch = replace(PRIOR, epoch=1, arms=arms, successes=tuple(np.arange(40.0)), failures=(10.0,) * 40)
    drawn = plot(epoch, ArmSet(arms, (1,) * 40), [])
    assert [curve.arm for curve in drawn.curves] == [f"item:{number}" for number in range(39, 27, -1)]
    assert drawn.hidden == 28
    assert {curve.colour for curve in drawn.curves} == {None}


def test_a_prior_without_a_highest_point_is_drawn_too() -> None:
    epoch = prior_epoch(
        BanditSettings(prior_successes=0.5, prior_failures=0.5, context_strength=1.0, exploration_scale=1.0)
    )
    (curve,) = plot(epoch, ArmSet(("popular",), (3,)), []).curves
    assert all(np.isfinite(points(curve.outline)).ravel())
    assert (curve.low, curve.high) == pytest.approx((0.006, 0.994), abs=0.02)


def test_ticks_are_round_and_few() -> None:
    for won, lost in ((0.0, 0.0), (1.0, 5_000.0), (900.0, 100.0)):
        epoch = replace(PRIOR, epoch=1, arms=("popular",), successes=(won,), failures=(lost,))
        ticks = plot(epoch, ArmSet(("popular",), (3,)), []).ticks
        assert 2 <= len(ticks) <= 6
        assert ticks[0] == (0.0, "0")
        assert all(0 <= place <= WIDTH for place, _ in ticks)
