"""Discounted Beta posteriors of the arms of one context, as immutable epochs.

A discounted posterior is the prior plus evidence that halves with event time::

    a(T) = a0 + sum of successes_i * 2^(-(T - t_i) / half_life)      (b alike, of failures)

so it does not depend on the order in which outcomes arrive.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
APPLIED_KEPT: Final = 90
"""Batches an epoch remembers; older ones weigh nothing any more and are refused."""


@dataclass(frozen=True)
class Prior:
    """Beta parameters of an arm nobody has tried."""

    a: float
    b: float


@dataclass(frozen=True)
class PosteriorEpoch:
    """The state of one context after some batches of outcomes; never changed, only followed by the next.

    Args:
        epoch: 0 is the prior alone.
        prior: Of every arm, known or new.
        arms: Names, in the order they were first met.
        a: Beta parameter per arm, prior included.
        b: The same, of failures.
        as_of: Event time the evidence is decayed to; None without evidence.
        applied: Batches whose outcomes are in, oldest first.
    """

    epoch: int
    prior: Prior
    arms: tuple[str, ...] = ()
    a: tuple[float, ...] = ()
    b: tuple[float, ...] = ()
    as_of: datetime | None = None
    applied: tuple[str, ...] = ()

    def parameters(self, arms: Sequence[str]) -> tuple[Floats, Floats]:
        """Beta parameters (A,), (A,) of the named arms; an arm it does not know has the prior."""
        known = {arm: index for index, arm in enumerate(self.arms)}
        pairs = [
            (self.a[known[arm]], self.b[known[arm]]) if arm in known else (self.prior.a, self.prior.b) for arm in arms
        ]
        values = np.array(pairs, np.float64).reshape(-1, 2)
        return values[:, 0], values[:, 1]

    def has_applied(self, batch: str) -> bool:
        """Whether a batch is in, or so old that it can no longer be told."""
        return batch in self.applied or (len(self.applied) >= APPLIED_KEPT and batch < self.applied[0])

    def to_json(self) -> bytes:
        """Exact: every float is written so that it reads back equal."""
        as_of = self.as_of.isoformat() if self.as_of else None
        return json.dumps({**asdict(self), "as_of": as_of}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "PosteriorEpoch":
        fields = json.loads(text)
        as_of = datetime.fromisoformat(fields["as_of"]) if fields["as_of"] else None
        lists = {name: tuple(fields[name]) for name in ("arms", "a", "b", "applied")}
        return cls(epoch=fields["epoch"], prior=Prior(**fields["prior"]), as_of=as_of, **lists)


@dataclass(frozen=True)
class Outcomes:
    """Judged impressions of one context.

    Args:
        arms: (N,) the arm that each impression's item came from.
        is_success: (N,)
        times: (N,) event times in unix seconds.
    """

    arms: Sequence[str]
    is_success: npt.NDArray[np.bool_]
    times: Floats


def update(
    current: PosteriorEpoch, outcomes: Outcomes, batch: str, as_of: datetime, half_life_seconds: float
) -> PosteriorEpoch:
    """The next epoch, decayed to `as_of` or to the current epoch's time, whichever is later.

    A batch that was applied before changes nothing: the current epoch comes back.
    """
    if current.has_applied(batch):
        return current
    to = max(as_of, current.as_of) if current.as_of else as_of
    aged = 2.0 ** (-(to - (current.as_of or to)).total_seconds() / half_life_seconds)
    arms = (*current.arms, *sorted(set(outcomes.arms) - set(current.arms)))
    old_a, old_b = current.parameters(arms)
    index = {arm: position for position, arm in enumerate(arms)}
    codes = np.array([index[arm] for arm in outcomes.arms], np.intp)
    # An outcome from after `as_of` counts whole: a clock ahead must not blow evidence up.
    weights = 2.0 ** (-np.maximum(to.timestamp() - outcomes.times, 0.0) / half_life_seconds)
    won = np.bincount(codes, weights * outcomes.is_success, len(arms))
    lost = np.bincount(codes, weights * ~outcomes.is_success, len(arms))
    a = current.prior.a + (old_a - current.prior.a) * aged + won
    b = current.prior.b + (old_b - current.prior.b) * aged + lost
    applied = tuple(sorted({*current.applied, batch}))[-APPLIED_KEPT:]
    return replace(
        current, epoch=current.epoch + 1, arms=arms, a=tuple(a.tolist()), b=tuple(b.tolist()), as_of=to, applied=applied
    )


def without_arms(current: PosteriorEpoch, gone: Sequence[str]) -> PosteriorEpoch:
    """The next epoch without some arms; met again, they start from the prior."""
    kept = [index for index, arm in enumerate(current.arms) if arm not in set(gone)]
    return replace(
        current,
        epoch=current.epoch + 1,
        arms=tuple(current.arms[index] for index in kept),
        a=tuple(current.a[index] for index in kept),
        b=tuple(current.b[index] for index in kept),
    )
