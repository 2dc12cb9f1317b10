"""One item once, also where two lists hold it."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class DuplicateCap:
    """Keeps the first of equal items."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:  # noqa: ARG002  every cap gets the query
        ids = frame.candidates.item_ids
        order = ids.argsort(kind="stable")
        ranked = ids[order]
        repeats = order[1:][ranked[1:] == ranked[:-1]]
        if not len(repeats):
            return None
        mask = np.ones(len(ids), bool)
        mask[repeats] = False
        return mask
