"""No moment of a broadcast is shown again and again."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import first_of_each
from serving.query import Query


@dataclass(frozen=True)
class MomentCap:
    """Keeps the first few cuts of each moment, as the catalogue tells moments apart."""

    max_per_moment: int

    def keep(self, frame: Frame, may: Mask, query: Query) -> Mask:
        return first_of_each(query.state.catalogue.moments(frame.rows), may, self.max_per_moment, True)
