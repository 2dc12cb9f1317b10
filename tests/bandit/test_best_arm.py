import numpy as np
import pytest

from bandit.best_arm import Densities

DRAWS = 1_000_000


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([5, 2, 1], [20, 30, 9]),
        ([0.05, 0.02, 3], [2, 1, 40]),
        ([1e5, 1e4 + 50, 1], [9e5, 9e4, 9]),
        ([1000, 1010, 300], [9000, 9000, 2700]),
        ([3, 3, 3, 3, 3, 3], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
    ],
    ids=["few", "hardly any", "very unlike", "very many", "nearly certain"],
)
def test_chances_agree_with_beta_draws(a: list[float], b: list[float]) -> None:
    draws = np.random.default_rng(3).beta(a, b, (DRAWS, len(a)))
    seen = np.bincount(draws.argmax(axis=1), minlength=len(a)) / DRAWS
    found = Densities.of(np.array(a, float), np.array(b, float)).best(np.ones(len(a), bool))
    assert found.sum() == pytest.approx(1.0)
    assert (np.abs(found - seen) < 4.5 * np.sqrt(seen * (1 - seen) / DRAWS) + 1e-4).all()


def test_what_is_not_available_has_no_chance() -> None:
    densities = Densities.of(np.array([1.0, 1.0, 50.0]), np.array([9.0, 9.0, 9.0]))
    assert densities.best(np.array([True, True, False])) == pytest.approx([0.5, 0.5, 0.0])


@pytest.mark.parametrize("count", [30, 300])
def test_orders_that_hardly_ever_happen_keep_a_chance(count: int) -> None:
    rising = Densities.of(np.linspace(1.0, 30.0, count), np.full(count, 30.0))
    chances = rising.ranked(np.arange(count))
    assert (chances > 0).all()
    assert (chances <= 1).all()
    assert chances[-1] == 1.0
