"""What the user hid or blocked is gone."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class HiddenFilter:
    """Contents by their id, and everything of a hidden or blocked streamer."""

    def keep(self, frame: Frame, query: Query) -> Mask:
        by_streamer = np.isin(frame.candidates.streamer_ids, query.user.hidden_streamers)
        by_content = np.isin(frame.candidates.item_ids, query.user.hidden_contents)
        return ~(by_streamer | by_content)
