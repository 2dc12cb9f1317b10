"""What the user has seen is not shown again."""

from serving.frame import Frame, Mask
from serving.kernels import drop_met
from serving.query import Query


class SeenFilter:
    """Per content, never per streamer; a broadcast that is still on is never `seen`."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        if not len(query.user.seen):
            return None
        return drop_met(frame.candidates.item_ids, frame.live, query.user.seen, may)
