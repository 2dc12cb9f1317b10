"""No moment of a broadcast is shown again and again."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import drop_after_first
from serving.query import Query


@dataclass(frozen=True)
class MomentCap:
    """Keeps the first few cuts of each moment, as the catalogue tells moments apart."""

    max_per_moment: int

    def drop(self, frame: Frame, may: Mask, query: Query) -> int:
        return drop_after_first(query.state.catalogue.moments(frame.rows), self.max_per_moment, True, may)
