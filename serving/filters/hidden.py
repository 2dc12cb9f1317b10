"""What the user hid or blocked is gone."""

from serving.filters.among import among
from serving.frame import Frame, Mask
from serving.query import Query


class HiddenFilter:
    """Contents by their id, and everything of a hidden or blocked streamer."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        user = query.user
        if not len(user.hidden_streamers) and not len(user.hidden_contents):
            return None
        by_streamer = among(frame.candidates.streamer_ids, user.hidden_streamers)
        return ~(by_streamer | among(frame.candidates.item_ids, user.hidden_contents))
