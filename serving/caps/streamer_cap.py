"""No streamer fills a slate."""

from dataclasses import dataclass

from serving.frame import Frame, Mask
from serving.kernels import first_of_each
from serving.query import Query


@dataclass(frozen=True)
class StreamerCap:
    """Keeps the first few of each streamer, in list order."""

    max_per_streamer: int

    def keep(self, frame: Frame, may: Mask, query: Query) -> Mask:  # noqa: ARG002
        return first_of_each(frame.candidates.streamer_ids, may, self.max_per_streamer, False)
