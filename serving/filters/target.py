"""What was just watched does not come next."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class TargetFilter:
    """Keeps everything but the content that the request names."""

    def keep(self, frame: Frame, query: Query) -> Mask:
        if query.request.after is None:
            return np.ones(len(frame), bool)
        return np.asarray(frame.candidates.item_ids != query.request.after)
