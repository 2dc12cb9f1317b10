import numpy as np
import pytest

from evaluation.intervals import bootstrap_mean, paired_difference


def test_the_bootstrap_interval_has_the_width_of_the_normal_one_for_many_users() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 2_000)
    interval = bootstrap_mean(values, np.random.default_rng(1), resamples=2_000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        interval = bootstrap_mean(rng.exponential(1.0, 200), rng, resamples=200, level=0.9)
        covered += interval.low <= 1.0 <= interval.high
    assert 165 <= covered <= 195


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(50, dtype=np.float64)
    assert bootstrap_mean(values, np.random.default_rng(3)) == bootstrap_mean(values, np.random.default_rng(3))


def test_no_users_give_no_number() -> None:
    assert np.isnan(bootstrap_mean(np.empty(0), np.random.default_rng(0)).mean)


def test_a_constant_advantage_is_found_in_pairs_whatever_the_spread_of_users() -> None:
    theirs = np.random.default_rng(4).normal(0, 100, 300)
    interval = paired_difference(theirs + 1.0, theirs, np.random.default_rng(5))
    assert interval.low == pytest.approx(1.0)
    with pytest.raises(ValueError, match="2 and 300"):
        paired_difference(theirs[:2], theirs, np.random.default_rng(5))
