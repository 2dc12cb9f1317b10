"""What the user began and has not seen."""

import numpy as np

from contracts.marks import read_marks
from contracts.names import Source
from contracts.payload import SOURCES, CandidateColumns
from serving.query import Level, Query
from serving.stages import Fetched


class BegunSource:
    """The contents of the user's progress, last watched first; scores are the unix seconds of that."""

    level = Level.PERSONAL

    def fetch(self, query: Query) -> Fetched:
        marks = read_marks(query.user.begun)
        if not len(marks):
            return Fetched(None, "the user has begun nothing that is not finished")
        catalogue = query.state.catalogue
        rows = catalogue.rows(marks["id"].astype(np.int64))
        # Without its streamer and kind a content cannot be shown; the next catalogue has them.
        marks, rows = marks[rows >= 0], rows[rows >= 0]
        source = np.full(len(rows), SOURCES.index(Source.CONTINUE_WATCHING), np.uint8)
        kinds, owners = catalogue.kinds(rows), catalogue.owners(rows)
        scores = marks["at"].astype(np.float32)
        order = np.argsort(marks["at"], kind="stable")[::-1]
        begun = CandidateColumns(marks["id"].astype(np.int64), kinds, owners, source, scores)
        return Fetched(begun.take(order))
