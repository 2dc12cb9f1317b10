"""No streamer fills a slate."""

from dataclasses import dataclass

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


@dataclass(frozen=True)
class StreamerCapFilter:
    """Keeps the first few of each streamer, in list order."""

    max_per_streamer: int

    def keep(self, frame: Frame, query: Query) -> Mask:  # noqa: ARG002
        streamers = frame.candidates.streamer_ids
        order = np.argsort(streamers, kind="stable")
        starts = np.flatnonzero(np.diff(streamers[order], prepend=streamers[order][:1] - 1))
        sizes = np.diff(np.append(starts, len(order)))
        place = np.arange(len(order)) - np.repeat(starts, sizes)
        mask = np.empty(len(order), bool)
        mask[order] = place < self.max_per_streamer
        return mask
