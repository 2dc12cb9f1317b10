"""Confidence intervals over users."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

PerUser = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval."""

    mean: float
    low: float
    high: float


def bootstrap_means(
    values: PerUser, rng: np.random.Generator, resamples: int = 1_000, level: float = 0.95
) -> list[Interval]:
    """Percentile bootstrap of means over users (Efron, 1979); users are drawn with replacement.

    With fewer than about 30 users the intervals are too narrow. No users give NaN throughout.

    Args:
        values: (U, M), M figures per user; all of them share each draw of users.

    Returns:
        One interval per column.
    """
    if len(values) == 0:
        return [Interval(float("nan"), float("nan"), float("nan"))] * values.shape[1]
    means = np.stack([_resampled_mean(values, rng) for _ in range(resamples)])  # (resamples, M)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, bounds)) for bounds in zip(values.mean(axis=0), low, high, strict=True)]


def bootstrap_mean(values: PerUser, rng: np.random.Generator, resamples: int = 1_000, level: float = 0.95) -> Interval:
    """`bootstrap_means` of one figure per user, (U,)."""
    return bootstrap_means(values[:, np.newaxis], rng, resamples, level)[0]


def paired_difference(ours: PerUser, theirs: PerUser, rng: np.random.Generator) -> Interval:
    """Bootstrap interval of the mean difference for the same users; above zero throughout means ours is better."""
    if len(ours) != len(theirs):
        raise ValueError(f"paired values of {len(ours)} and {len(theirs)} users")
    return bootstrap_mean(ours - theirs, rng)


def rate_over_users(successes: Counts, trials: Counts, level: float = 0.95) -> Interval:
    """Successes over trials, where the trials of one user are alike.

    Wilson's interval (JASA, 1927) with the trials divided by the design effect (Kish, 1965): how much larger the
    variance of the ratio of sums over users is than that of independent trials. Where users cannot tell it, because
    there is one of them or all outcomes are equal, each counts as one trial. No trials give NaN throughout.

    Args:
        successes: (U,) per user, at most `trials`.
        trials: (U,)
    """
    users, total = len(trials), int(trials.sum())
    if total == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    rate = float(successes.sum() / total)
    if users == 1 or rate in (0.0, 1.0):
        return _wilson(rate, users, level)
    residuals = successes - rate * trials
    variance = float(residuals @ residuals) * users / (users - 1) / total**2
    effect = max(1.0, variance * (total - 1) / (rate * (1 - rate)))
    return _wilson(rate, total / effect, level)


def _wilson(rate: float, trials: float, level: float) -> Interval:
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return Interval(rate, max(0.0, centre - reach), min(1.0, centre + reach))


def _resampled_mean(values: PerUser, rng: np.random.Generator) -> PerUser:
    """Counting how often each user is drawn makes a resample one small product instead of a copy of the values."""
    draws = np.bincount(rng.integers(0, len(values), len(values)), minlength=len(values))
    return np.asarray(draws @ values / len(values))
