"""Discounted Beta posteriors of the arms of one context, as immutable epochs.

The evidence of an arm halves with event time::

    S(T) = sum of successes_i * 2^(-(T - t_i) / half_life)      (F alike, of failures)

so it does not depend on the order in which outcomes arrive. An outcome counts for its arm, the arm's parents and the
context. The prior of an arm is a Beta whose mean is its nearest parent's posterior mean, and so on up to the context,
whose own prior is set::

    mean_parent = (k_grandparent * mean_grandparent + S_parent) / (k_grandparent + S_parent + F_parent)
    a = k_parent * mean_parent + S,   b = k_parent * (1 - mean_parent) + F

with one strength k, in impressions, per kind of parent: a beta-binomial hierarchy with plug-in means (Gelman et al.,
Bayesian Data Analysis, 3rd ed., 5.3). An arm's own outcomes are among its parent's, so an only child counts them twice
in its mean; with several children that is little.
"""

import struct
from collections.abc import Callable, Hashable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from bandit.arms import CONTEXT, CONTEXT_ARM, SOURCE_ARM, ArmSet, arm_code, arm_names
from bandit.beliefs import PLAIN, Bound, Exploration, Prior
from bandit.outcomes import Floats, Outcomes
from contracts.errors import PayloadError

VERSION: Final = 1
"""Version byte of a packed Beta state."""

_HEADER: Final = struct.Struct("<BqqdddddddI")
_ARM_BYTES: Final = 1 + 8 + 8 + 8
_REMEMBERED: Final = 1_000
"""Tables of chances an epoch keeps; sources come in fewer combinations, and more would be a leak."""

T = TypeVar("T")


@dataclass(frozen=True)
class PosteriorEpoch:
    """The state of one context after some batches of outcomes; never changed, only followed by the next.

    Args:
        epoch: 0 is the prior alone.
        prior: Of every arm, known or new.
        arms: Names, in the order they were first met; parents of arms are among them.
        successes: Decayed evidence per arm, without the prior.
        failures: The same.
        applied_through_ms: The watermark: outcomes up to this event time in unix milliseconds are in, and the
            evidence is decayed to it; 0 where nothing has been applied.
        exploration: What policies that explore go by.
    """

    epoch: int
    prior: Prior
    arms: tuple[str, ...] = ()
    successes: tuple[float, ...] = ()
    failures: tuple[float, ...] = ()
    applied_through_ms: int = 0
    exploration: Exploration = PLAIN

    def evidence(self, arm: str) -> tuple[float, float]:
        """Successes and failures of an arm; nothing of an unknown one."""
        place = self._places.get(arm)
        return (0.0, 0.0) if place is None else (self.successes[place], self.failures[place])

    def parameters(self, arm_set: ArmSet) -> tuple[Floats, Floats]:
        """Beta parameters (A,), (A,) of a request's arms."""
        parents = arm_set.parents or ((),) * len(arm_set.arms)
        # Siblings share what their parents say.
        said = {chain: self._said(chain) for chain in set(parents)}
        weights = arm_set.weights or (1.0,) * len(arm_set.arms)
        places, values = self._places, np.empty((len(arm_set.arms), 2))
        for row, (arm, chain, weight) in enumerate(zip(arm_set.arms, parents, weights, strict=True)):
            place, (a, b) = places.get(arm), said[chain]
            # A weight moves the mean and leaves the strength.
            a, b = a * weight, b + a * (1.0 - weight)
            values[row] = (a, b) if place is None else (a + self.successes[place], b + self.failures[place])
        return values[:, 0], values[:, 1]

    def _said(self, chain: tuple[str, ...]) -> tuple[float, float]:
        """Beta parameters of the prior that a chain of parents gives; above all of them stands the context."""
        a, b = self.prior.a, self.prior.b
        for parent in (CONTEXT, *reversed(chain)):
            won, lost = self.evidence(parent)
            mean = (a + won) / (a + won + b + lost)
            strength = self.prior.strength(parent)
            a, b = strength * mean, strength * (1.0 - mean)
        return a, b

    def sampled(self, arm_set: ArmSet) -> tuple[Floats, Floats]:
        """Beta parameters (A,), (A,) to draw from: the same means with the variance times the exploration scale.

        Dividing both by the scale is exact up to 1 / (a + b).
        """
        a, b = self.parameters(arm_set)
        return a / self.exploration.scale, b / self.exploration.scale

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was derived from this epoch under a key, made once and kept with it."""
        if key not in self._memory:
            if len(self._memory) >= _REMEMBERED:
                self._memory.clear()
            self._memory[key] = make()
        found: T = self._memory[key]
        return found

    def to_bytes(self) -> bytes:
        """One packed string, little endian; every float reads back equal.

        u8 version (1) | i64 epoch | i64 applied_through_ms | f64 x 5 prior | f64 x 2 exploration | u32 arms A
        A x u8 kind of arm | A x i64 content, streamer or source code | A x f64 successes | A x f64 failures
        """
        numbers = (*astuple(self.prior), *astuple(self.exploration))
        head = _HEADER.pack(VERSION, self.epoch, self.applied_through_ms, *numbers, len(self.arms))
        codes = [arm_code(arm) for arm in self.arms]
        kinds, ids = bytes(kind for kind, _ in codes), np.array([number for _, number in codes], "<i8")
        return b"".join((head, kinds, ids.tobytes(), _floats(self.successes), _floats(self.failures)))

    @classmethod
    def from_bytes(cls, packed: bytes) -> "PosteriorEpoch":
        """The epoch of a packed string.

        Raises:
            PayloadError: corrupt, or of another version.
        """
        if packed[:1] != bytes([VERSION]):
            raise PayloadError(f"bandit state of version {packed[:1].hex() or 'none'}; this reader knows {VERSION:02x}")
        if len(packed) < _HEADER.size:
            raise PayloadError(f"a bandit state of {len(packed)} bytes is shorter than its header of {_HEADER.size}")
        _, epoch, through_ms, *numbers, count = _HEADER.unpack_from(packed)
        if len(packed) != _HEADER.size + _ARM_BYTES * count:
            raise PayloadError(f"a bandit state of {len(packed)} bytes where its header says {count} arms")
        kinds = packed[_HEADER.size : _HEADER.size + count]
        ids = np.frombuffer(packed, "<i8", count, _HEADER.size + count).tolist()
        evidence = np.frombuffer(packed, "<f8", 2 * count, _HEADER.size + 9 * count)
        if not (np.isfinite([*numbers, *evidence]).all() and (evidence >= 0).all() and min(numbers[:6]) > 0):
            raise PayloadError("a bandit state holds evidence or a prior that no counting gives; it is corrupt")
        won, lost = evidence[:count].tolist(), evidence[count:].tolist()
        prior, exploration = Prior(*numbers[:5]), Exploration(*numbers[5:])
        return cls(epoch, prior, arm_names(kinds, ids), tuple(won), tuple(lost), through_ms, exploration)

    @cached_property
    def _memory(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {arm: place for place, arm in enumerate(self.arms)}


def update(
    current: PosteriorEpoch,
    outcomes: Outcomes,
    through_ms: int,
    half_life_seconds: float,
    bound: Bound | None = None,
) -> PosteriorEpoch:
    """The next epoch, with the outcomes in and all evidence decayed to `through_ms`.

    Outcomes up to a watermark are applied once: where `through_ms` is not later than the current epoch's watermark, the
    current epoch comes back.

    Args:
        through_ms: Event time in unix milliseconds up to which these are all outcomes since the current watermark.
        bound: What is dropped when there are too many arms; None drops nothing, for arms that are few by nature.
    """
    if through_ms <= current.applied_through_ms:
        return current
    aged = 2.0 ** ((current.applied_through_ms - through_ms) / 1_000 / half_life_seconds)
    counts = outcomes.counts(through_ms, half_life_seconds)
    names, rows = _with_parents(outcomes)
    arms = (*current.arms, *sorted(set(names) - set(current.arms)))
    index = {arm: place for place, arm in enumerate(arms)}
    codes = np.array([index[name] for name in names], np.intp)
    before = np.zeros((2, len(arms)))
    before[:, : len(current.arms)] = current.successes, current.failures
    won = before[0] * aged + np.bincount(codes, (counts * outcomes.is_success)[rows], len(arms))
    lost = before[1] * aged + np.bincount(codes, (counts * ~outcomes.is_success)[rows], len(arms))
    following = replace(
        current,
        epoch=current.epoch + 1,
        arms=arms,
        successes=tuple(won.tolist()),
        failures=tuple(lost.tolist()),
        applied_through_ms=through_ms,
    )
    return following if bound is None or len(arms) <= bound.max_arms else _bounded(following, bound)


def _with_parents(outcomes: Outcomes) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Every arm that an outcome counts for, and the outcome's row."""
    parents = outcomes.parents or ((),) * len(outcomes.arms)
    chains = [(arm, *chain, CONTEXT) for arm, chain in zip(outcomes.arms, parents, strict=True)]
    rows = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
    return [name for chain in chains for name in chain], rows


def _bounded(epoch: PosteriorEpoch, bound: Bound) -> PosteriorEpoch:
    """The same epoch with the strongest arms; sources and the context always stay. Met again, others start anew."""
    evidence = np.array(epoch.successes) + np.array(epoch.failures)
    evidence[[arm_code(arm)[0] in (SOURCE_ARM, CONTEXT_ARM) for arm in epoch.arms]] = np.inf
    strongest = np.argsort(-evidence, kind="stable")[: bound.max_arms]
    kept = np.sort(strongest[evidence[strongest] >= bound.min_evidence]).tolist()
    return replace(
        epoch,
        arms=tuple(epoch.arms[place] for place in kept),
        successes=tuple(epoch.successes[place] for place in kept),
        failures=tuple(epoch.failures[place] for place in kept),
    )


def _floats(values: Sequence[float]) -> bytes:
    return np.array(values, "<f8").tobytes()
