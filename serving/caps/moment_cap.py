"""No moment of a broadcast is shown again and again."""

from dataclasses import dataclass

import numpy as np

from serving.caps.first_of_each import first_of_each
from serving.frame import Frame, Mask
from serving.query import Query


@dataclass(frozen=True)
class MomentCap:
    """Keeps the first few cuts of each moment, as the catalogue tells moments apart."""

    max_per_moment: int

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        moments = query.state.catalogue.moments(frame.rows)
        known = np.flatnonzero(moments >= 0)
        within = first_of_each(moments[known], self.max_per_moment)
        if within is None:
            return None
        mask = np.ones(len(frame), bool)
        mask[known[~within]] = False
        return mask
