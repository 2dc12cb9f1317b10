"""What stands in for streamers of the user's live list who are not on: the newest of their best VODs and clips."""

import numpy as np

from contracts.errors import PayloadError
from contracts.names import Source
from contracts.payload import SOURCES, CandidateColumns
from contracts.unpacking import unpack
from serving.query import Level, Query
from serving.stages import Fetched


class OfflineStreamerSource:
    """One content per streamer of the user's list without a lease, in the list's order."""

    level = Level.CHANNEL

    def fetch(self, query: Query) -> Fetched:
        if query.user.packed is None:
            return Fetched(None)
        try:
            listed = unpack(query.user.packed)
        except PayloadError:
            return Fetched(None)  # the personal source has said so
        state = query.state
        offline = listed.take(state.live.lookup(listed.streamer_ids, state.live_now) < 0)
        newest = state.newest.newest(offline.streamer_ids)
        known = newest.is_known
        if not known.any():
            return Fetched(None, "none of the streamers who are offline has a representative VOD or clip")
        sources = np.full(int(known.sum()), SOURCES.index(Source.STAND_IN), np.uint8)
        stand_ins = CandidateColumns(
            newest.content_ids[known],
            newest.kinds[known],
            offline.streamer_ids[known],
            sources,
            offline.scores[known],
        )
        return Fetched(stand_ins, "too few streamers are live; their newest VODs and clips stand in")
