"""One item once, also where two lists hold it."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class DuplicateFilter:
    """Keeps the first of equal items."""

    def keep(self, frame: Frame, query: Query) -> Mask:  # noqa: ARG002
        mask = np.zeros(len(frame), bool)
        mask[np.unique(frame.candidates.item_ids, return_index=True)[1]] = True
        return mask
