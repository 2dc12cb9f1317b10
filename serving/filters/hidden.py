"""What the user hid or blocked is gone."""

from serving.frame import Frame, Mask, unknown_rows
from serving.kernels import drop_met
from serving.query import Query


class HiddenFilter:
    """Contents by their id, and everything of a hidden or blocked streamer, also what is on."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        user, left, nothing_is_on = query.user, None, unknown_rows(len(frame))
        if len(user.hidden_streamers):
            left = drop_met(frame.candidates.streamer_ids, nothing_is_on, user.hidden_streamers, may)
        if len(user.hidden_contents):
            left = drop_met(frame.candidates.item_ids, nothing_is_on, user.hidden_contents, may)
        return left
