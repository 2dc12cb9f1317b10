"""What a stage of the request path is. A stage neither times itself nor counts nor catches: the runner does.

No stage waits: what is a user's own was read before the first one (`serving.stores.user_reads`), and what is shared is
in the worker's memory (`serving.state`).
"""

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from contracts.payload import CandidateColumns
from serving.frame import Frame, Index, Mask
from serving.query import Level, Query


class Fetched(msgspec.Struct, frozen=True):
    """What a source has; without candidates, the reason."""

    candidates: CandidateColumns | None
    problem: str = ""


class Ranking(msgspec.Struct, frozen=True):
    """An order of the slate's rows and everything needed to arrive at it again.

    Args:
        context: With the surface, whose posteriors were used: a segment, or what the request names.
    """

    order: Index
    policy_id: str
    posterior_epoch: int
    arm_set: ArmSet
    context: str
    problem: str = ""


class Source(Protocol):
    """Proposes candidates."""

    @property
    def level(self) -> Level:
        """Whose candidates they are."""

    def fetch(self, query: Query) -> Fetched: ...


class Hydrator(Protocol):
    """Adds to the columns; keeps the rows and their order."""

    def hydrate(self, frame: Frame, query: Query) -> Frame: ...


class Filter(Protocol):
    """Drops what may not be shown. A filter looks at each row by itself, a cap also at the rows above."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        """Clear the rows of `may` (K,) that have to go; the rows that are not set are gone already.

        Returns:
            How many rows are left; None where nothing was looked at.
        """


class Scorer(Protocol):
    """One score per row, in the same order; NaN and infinity rank last."""

    def score(self, frame: Frame, query: Query) -> npt.NDArray[np.float32]: ...


class Reranker(Protocol):
    """Orders the rows that make the slate."""

    def rank(self, frame: Frame, query: Query) -> Ranking: ...
