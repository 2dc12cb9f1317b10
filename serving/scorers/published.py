"""The score that fusion gave."""

import numpy as np
import numpy.typing as npt

from serving.frame import Frame
from serving.query import Query


class PublishedScorer:
    """As published; comparable within one list."""

    def score(self, frame: Frame, query: Query) -> npt.NDArray[np.float32]:  # noqa: ARG002
        return frame.candidates.scores
