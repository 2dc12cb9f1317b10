"""What the user hid or blocked is gone."""

from serving.frame import Frame, Mask
from serving.kernels import among_unordered
from serving.query import Query


class HiddenFilter:
    """Contents by their id, and everything of a hidden or blocked streamer."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        user = query.user
        if not len(user.hidden_streamers) and not len(user.hidden_contents):
            return None
        by_streamer = among_unordered(frame.candidates.streamer_ids, user.hidden_streamers)
        if not len(user.hidden_contents):
            return ~by_streamer
        return ~(by_streamer | among_unordered(frame.candidates.item_ids, user.hidden_contents))
