"""No streamer fills a slate."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import drop_after_first
from serving.query import Query


@dataclass(frozen=True)
class StreamerCap:
    """Keeps the first few of each streamer, in list order."""

    max_per_streamer: int

    def drop(self, frame: Frame, may: Mask, query: Query) -> int:  # noqa: ARG002
        return drop_after_first(frame.candidates.streamer_ids, self.max_per_streamer, False, may)
