"""Streamers become the broadcast that is on."""

import numpy as np

from contracts.names import ItemKind
from contracts.payload import KINDS, CandidateColumns
from serving.frame import Frame
from serving.query import Query

_LIVE, _STREAMER = KINDS.index(ItemKind.LIVE), KINDS.index(ItemKind.STREAMER)


class LiveBroadcastHydrator:
    """Looks the leases up; a streamer without one stays what it is, and the live filter drops it."""

    def hydrate(self, frame: Frame, query: Query) -> Frame:
        state, old = query.state, frame.candidates
        rows = np.where(old.kinds == _STREAMER, state.live.lookup(old.streamer_ids, state.live_now), -1)
        is_live = rows >= 0
        if not is_live.any():
            return frame
        items = np.where(is_live, state.live.broadcast_ids[rows], old.item_ids)
        kinds = np.where(is_live, np.uint8(_LIVE), old.kinds)
        resolved = CandidateColumns(items, kinds, old.streamer_ids, old.sources, old.scores)
        return Frame(resolved, frame.levels, frame.rows, rows)
