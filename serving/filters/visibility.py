"""Private and removed contents never appear."""

from serving.frame import Frame, Mask
from serving.query import Query


class VisibilityFilter:
    """Keeps what the catalogue shows."""

    def keep(self, frame: Frame, query: Query) -> Mask:  # noqa: ARG002
        return frame.is_visible
