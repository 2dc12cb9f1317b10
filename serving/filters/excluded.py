"""What the request does not want."""

import numpy as np

from serving.frame import Frame, Mask
from serving.kernels import among
from serving.query import Query


class ExcludedFilter:
    """Drops ids that the caller names, what earlier pages have shown, and the content or streamer of the context."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        request, ids = query.request, frame.candidates.item_ids
        mask: Mask | None = None if request.context is None else np.asarray(ids != request.context)
        for unwanted in (request.excluded, request.served):
            if len(unwanted):
                wanted = ~among(ids, unwanted)
                mask = wanted if mask is None else mask & wanted
        return mask
