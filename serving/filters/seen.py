"""What the user has seen is not shown again."""

from serving.frame import Frame, Mask
from serving.kernels import unseen
from serving.query import Query


class SeenFilter:
    """Per content, never per streamer; a broadcast that is still on is never `seen`."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        if not len(query.user.seen):
            return None
        return unseen(frame.candidates.item_ids, frame.live, query.user.seen)
