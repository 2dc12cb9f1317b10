"""What is not on is not shown as live."""

from serving.frame import Frame, Mask
from serving.query import Query


class NotLiveFilter:
    """Keeps streamers with a living lease."""

    def keep(self, frame: Frame, query: Query) -> Mask:  # noqa: ARG002
        return frame.is_live
