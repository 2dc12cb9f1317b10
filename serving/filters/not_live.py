"""What is not on is not shown as live."""

import numpy as np

from contracts.names import ItemKind
from contracts.payload import KINDS
from serving.frame import Frame, Mask
from serving.query import Query

_STREAMER = KINDS.index(ItemKind.STREAMER)


class NotLiveFilter:
    """Drops streamers who have not become a broadcast; what stands in for one is a content and stays."""

    def drop(self, frame: Frame, may: Mask, query: Query) -> int | None:  # noqa: ARG002  every filter gets the query
        may &= frame.candidates.kinds != _STREAMER
        return int(np.count_nonzero(may))
