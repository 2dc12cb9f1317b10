"""One item once, also where two lists hold it."""

from serving.frame import Frame, Mask
from serving.kernels import first_of_each
from serving.query import Query


class DuplicateCap:
    """Keeps the first of equal items."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:  # noqa: ARG002  every cap gets the query
        return first_of_each(frame.candidates.item_ids, 1, False)
