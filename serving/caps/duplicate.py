"""One item once, also where two lists hold it."""

from serving.frame import Frame, Mask
from serving.kernels import first_of_each
from serving.query import Query


class DuplicateCap:
    """Keeps the first of equal items."""

    def keep(self, frame: Frame, may: Mask, query: Query) -> Mask:  # noqa: ARG002  every cap gets the query
        return first_of_each(frame.candidates.item_ids, may, 1, False)
