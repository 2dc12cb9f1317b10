"""One item once, also where two lists hold it."""

from serving.frame import Frame, Mask
from serving.kernels import drop_after_first
from serving.query import Query


class DuplicateCap:
    """Keeps the first of equal items."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int:  # noqa: ARG002  every cap gets the query
        return drop_after_first(frame.candidates.item_ids, 1, False, may)
