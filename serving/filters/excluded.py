"""What the request does not want."""

import numpy as np

from serving.frame import Frame, Mask
from serving.kernels import drop_members
from serving.query import Query


class ExcludedFilter:
    """Drops ids that the caller names, what earlier pages have shown, and the content or streamer of the context."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:
        request, ids = query.request, frame.candidates.item_ids
        left = None
        if request.context is not None:
            may &= ids != request.context
            left = int(np.count_nonzero(may))
        for unwanted in (request.excluded, request.served):
            if len(unwanted):
                left = drop_members(ids, unwanted, may)
        return left
