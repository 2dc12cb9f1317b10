"""Private, removed and taken down contents never appear."""

from serving.frame import Frame, Mask
from serving.kernels import drop_unseemly
from serving.query import Query


class VisibilityFilter:
    """Drops what the catalogue does not show, and what somebody has taken down since."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        state = query.state
        return drop_unseemly(state.catalogue.is_public(frame.rows), frame.candidates.item_ids, state.removed, may)
