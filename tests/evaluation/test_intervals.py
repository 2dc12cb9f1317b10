import numpy as np
import pytest

from evaluation.intervals import bootstrap_mean, paired_difference, rate_over_users


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


def test_a_rate_of_one_trial_per_user_has_wilsons_interval() -> None:
    """The textbook's 8 of 10: 0.490 to 0.943."""
    successes = np.array([1] * 8 + [0] * 2)
    found = rate_over_users(successes, np.ones(10, np.int64))
    assert (found.mean, found.low, found.high) == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)


def test_users_who_differ_widen_the_interval_of_a_rate() -> None:
    trials = np.full(20, 50)
    alike, apart = np.full(20, 10), np.array([50] * 4 + [0] * 16)
    narrow, wide = rate_over_users(alike, trials), rate_over_users(apart, trials)
    assert narrow.mean == wide.mean == 0.2
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_the_interval_of_a_rate_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(500):
        trials = rng.integers(1, 30, 60)
        successes = rng.binomial(trials, rng.beta(2, 18, 60))  # users differ around a rate of 0.1
        found = rate_over_users(successes, trials)
        hits += found.low <= 0.1 <= found.high
    assert 0.91 <= hits / 500 <= 0.98


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [([0, 0], [90, 10], 0.0, 0.658), ([5], [9], 0.09, 0.94)]
)
def test_where_users_cannot_tell_the_spread_each_counts_as_one_trial(
    successes: list[int], trials: list[int], low: float, high: float
) -> None:
    found = rate_over_users(np.array(successes), np.array(trials))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_no_trials_have_no_rate() -> None:
    assert np.isnan(rate_over_users(np.zeros(2, np.int64), np.zeros(2, np.int64)).mean)
