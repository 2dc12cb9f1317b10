"""Confidence intervals over users."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PerUser = npt.NDArray[np.float64]


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


def _resampled_mean(values: PerUser, rng: np.random.Generator) -> PerUser:
    """Counting how often each user is drawn makes a resample one small product instead of a copy of the values."""
    draws = np.bincount(rng.integers(0, len(values), len(values)), minlength=len(values))
    return np.asarray(draws @ values / len(values))
