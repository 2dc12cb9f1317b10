"""What the user has seen is not shown again."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class SeenFilter:
    """Per content, never per streamer; a broadcast that is still on is never `seen`."""

    def keep(self, frame: Frame, query: Query) -> Mask:
        return ~np.isin(frame.candidates.item_ids, query.user.seen) | frame.is_live
