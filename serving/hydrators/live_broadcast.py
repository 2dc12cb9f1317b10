"""Streamers become the broadcast that is on."""

from dataclasses import dataclass, replace

import numpy as np

from contracts.names import ItemKind
from contracts.payload import KINDS
from serving.frame import Frame
from serving.query import Query
from serving.stores.leases import LeaseStore


@dataclass(frozen=True)
class LiveBroadcastHydrator:
    """Asks the leases; a streamer without one stays what it is, and the live filter drops it."""

    store: LeaseStore

    def hydrate(self, frame: Frame, query: Query) -> Frame:  # noqa: ARG002  every hydrator gets the query
        leases = self.store.leases(frame.candidates.streamer_ids.tolist())
        is_live = np.array([lease is not None for lease in leases], bool)
        items, kinds, titles = frame.candidates.item_ids.copy(), frame.candidates.kinds.copy(), frame.titles.copy()
        items[is_live] = [lease.broadcast_id for lease in leases if lease is not None]
        titles[is_live] = [lease.details.title for lease in leases if lease is not None]
        kinds[is_live] = KINDS.index(ItemKind.LIVE)
        return replace(
            frame, candidates=replace(frame.candidates, item_ids=items, kinds=kinds), is_live=is_live, titles=titles
        )
