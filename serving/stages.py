"""What a stage of the request path is. A stage neither times itself nor counts nor catches: the runner does."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bandit.arms import ArmSet
from contracts.payload import CandidateColumns
from serving.frame import Frame, Index, Mask
from serving.query import Level, Query
from serving.slate import Slate


@dataclass(frozen=True)
class Fetched:
    """What a source has; without candidates, the reason."""

    candidates: CandidateColumns | None
    problem: str = ""


@dataclass(frozen=True)
class Ranking:
    """An order of a frame's rows and everything needed to arrive at it again."""

    order: Index
    policy_id: str
    posterior_epoch: int
    arm_set: ArmSet
    problem: str = ""


class Source(Protocol):
    """Proposes candidates."""

    level: Level

    def fetch(self, query: Query) -> Fetched: ...


class Hydrator(Protocol):
    """Adds to the columns; keeps the rows and their order."""

    def hydrate(self, frame: Frame, query: Query) -> Frame: ...


class Filter(Protocol):
    """Says which rows may stay."""

    def keep(self, frame: Frame, query: Query) -> Mask: ...


class Scorer(Protocol):
    """One score per row, in the same order; NaN and infinity rank last."""

    def score(self, frame: Frame, query: Query) -> npt.NDArray[np.float32]: ...


class Reranker(Protocol):
    """Orders the rows that make the slate."""

    def rank(self, frame: Frame, query: Query) -> Ranking: ...


class Selector(Protocol):
    """Takes the slate's rows out of the ranking."""

    def select(self, ranking: Ranking, query: Query) -> Index: ...


class SideEffect(Protocol):
    """What happens because a slate was served; its failure never costs the slate."""

    def after(self, slate: Slate) -> None: ...
