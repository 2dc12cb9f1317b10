"""Which streamers are on, where the list is of streamers and stays so."""

from serving.frame import Frame
from serving.query import Query


class LiveMarkHydrator:
    """Looks the leases up and changes no item."""

    def hydrate(self, frame: Frame, query: Query) -> Frame:
        rows = query.state.live.lookup(frame.candidates.streamer_ids, query.state.live_now)
        return Frame(frame.candidates, frame.levels, frame.rows, rows)
