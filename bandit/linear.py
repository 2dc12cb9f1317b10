"""Discounted Bayesian linear regression of outcomes on features of arms, as immutable epochs.

With x the features of an arm and r its outcome, evidence halves with event time as that of Beta posteriors does::

    G = sum of w_i x_i x_i'      h = sum of w_i (r_i - mean) x_i      w_i = 2^(-(T - t_i) / half_life)
    weights ~ Normal(P^-1 h / noise, P^-1)      P = precision * I + G / noise

The prior does not fade (D-LinUCB, Russac, Vernade and Cappé, NeurIPS 2019, whose second matrix we do without).
"""

import struct
from dataclasses import astuple, dataclass, replace
from typing import Final

import numpy as np

from bandit.beliefs import PLAIN, Exploration
from bandit.outcomes import Floats, Outcomes
from contracts.errors import PayloadError

VERSION: Final = 65
"""Version byte of a packed linear state; Beta states begin with another."""

_HEADER: Final = struct.Struct("<BqqdddddH")


@dataclass(frozen=True)
class LinearPrior:
    """What is thought before any outcome.

    Args:
        mean: Outcome of an arm whose features say nothing.
        precision: Of each weight; 1 / variance.
        noise: Variance of an outcome around its expectation; of a Bernoulli at most 1/4.
    """

    mean: float
    precision: float
    noise: float


@dataclass(frozen=True)
class LinearEpoch:
    """The state of one context; never changed, only followed by the next.

    Args:
        moment: (D,) h.
        gram: (D * (D + 1) / 2,) upper triangle of G, by rows.
        applied_through_ms: The watermark, as that of `PosteriorEpoch`.
    """

    epoch: int
    prior: LinearPrior
    moment: tuple[float, ...]
    gram: tuple[float, ...]
    applied_through_ms: int = 0
    exploration: Exploration = PLAIN

    @classmethod
    def first(cls, prior: LinearPrior, dimensions: int, exploration: Exploration) -> "LinearEpoch":
        """Epoch 0 of features of some width."""
        nothing = (0.0,) * dimensions
        return cls(0, prior, nothing, (0.0,) * (dimensions * (dimensions + 1) // 2), exploration=exploration)

    def weights(self) -> tuple[Floats, Floats]:
        """Mean (D,) and a root R (D, D) of the covariance, R R', times the exploration scale."""
        precision = self.prior.precision * np.eye(len(self.moment)) + self._gram() / self.prior.noise
        root = np.linalg.inv(np.linalg.cholesky(precision)).T
        mean = root @ (root.T @ np.array(self.moment)) / self.prior.noise
        return mean, np.sqrt(self.exploration.scale) * root

    def to_bytes(self) -> bytes:
        """One packed string, little endian; every float reads back equal.

        u8 version (65) | i64 epoch | i64 applied_through_ms | f64 x 3 prior | f64 x 2 exploration | u16 D
        D x f64 moment | D (D + 1) / 2 x f64 gram
        """
        numbers = (*astuple(self.prior), *astuple(self.exploration))
        head = _HEADER.pack(VERSION, self.epoch, self.applied_through_ms, *numbers, len(self.moment))
        return head + np.array([*self.moment, *self.gram], "<f8").tobytes()

    @classmethod
    def from_bytes(cls, packed: bytes) -> "LinearEpoch":
        """The epoch of a packed string.

        Raises:
            PayloadError: corrupt, or of another version.
        """
        if packed[:1] != bytes([VERSION]) or len(packed) < _HEADER.size:
            raise PayloadError(f"{len(packed)} bytes, {packed[:1].hex() or 'none'} first, are no linear bandit state")
        _, epoch, through_ms, *numbers, size = _HEADER.unpack_from(packed)
        expected = _HEADER.size + 8 * (size + size * (size + 1) // 2)
        if len(packed) != expected:
            raise PayloadError(f"a linear bandit state of {len(packed)} bytes where its header says {expected}")
        values = np.frombuffer(packed, "<f8", offset=_HEADER.size)
        if not np.isfinite([*numbers, *values]).all() or min(numbers[1:4]) <= 0:
            raise PayloadError("a linear bandit state holds what no counting gives; it is corrupt")
        moment, gram = tuple(values[:size].tolist()), tuple(values[size:].tolist())
        return cls(epoch, LinearPrior(*numbers[:3]), moment, gram, through_ms, Exploration(*numbers[3:]))

    def _gram(self) -> Floats:
        size = len(self.moment)
        upper = np.zeros((size, size))
        upper[np.triu_indices(size)] = self.gram
        return np.asarray(upper + np.triu(upper, 1).T)


def update(current: LinearEpoch, outcomes: Outcomes, through_ms: int, half_life_seconds: float) -> LinearEpoch:
    """The next epoch, by the rules of `bandit.posteriors.update`; outcomes without features teach nothing."""
    if through_ms <= current.applied_through_ms:
        return current
    aged = 2.0 ** ((current.applied_through_ms - through_ms) / 1_000 / half_life_seconds)
    counts = outcomes.counts(through_ms, half_life_seconds)
    seen = np.zeros((0, len(current.moment))) if outcomes.features is None else outcomes.features  # (N, D)
    weighed = seen * counts[: len(seen), None]
    moment = np.array(current.moment) * aged + weighed.T @ (outcomes.is_success[: len(seen)] - current.prior.mean)
    gram = np.array(current.gram) * aged + (weighed.T @ seen)[np.triu_indices(len(current.moment))]
    return replace(
        current,
        epoch=current.epoch + 1,
        moment=tuple(moment.tolist()),
        gram=tuple(gram.tolist()),
        applied_through_ms=through_ms,
    )
