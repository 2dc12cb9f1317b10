"""Confidence intervals over users."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PerUser = npt.NDArray[np.float64]
_CHUNK = 50


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval."""

    mean: float
    low: float
    high: float


def bootstrap_mean(values: PerUser, rng: np.random.Generator, resamples: int = 1_000, level: float = 0.95) -> Interval:
    """Percentile bootstrap of the mean over users (Efron, 1979); users are drawn with replacement.

    With fewer than about 30 users the interval is too narrow. Empty input gives NaN throughout.
    """
    if len(values) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    means = np.concatenate([_resampled_means(values, rng, _CHUNK) for _ in range(-(-resamples // _CHUNK))])
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired_difference(ours: PerUser, theirs: PerUser, rng: np.random.Generator) -> Interval:
    """Bootstrap interval of the mean difference for the same users; above zero throughout means ours is better."""
    if len(ours) != len(theirs):
        raise ValueError(f"paired values of {len(ours)} and {len(theirs)} users")
    return bootstrap_mean(ours - theirs, rng)


def _resampled_means(values: PerUser, rng: np.random.Generator, count: int) -> PerUser:
    picks = rng.integers(0, len(values), size=(count, len(values)))
    return values[picks].mean(axis=1)
