"""The list of a group of users: the user's segment, or everybody."""

from contracts.names import Segment
from serving.query import Level, Query
from serving.stages import Fetched


def _fetch(query: Query, segment: Segment) -> Fetched:
    found = query.generation.segment_lists.get((query.lists, segment))
    if found is None:
        return Fetched(None, f"segment `{segment}` has no list in this generation")
    if isinstance(found, str):
        return Fetched(None, f"the list of segment `{segment}` cannot be read: {found}")
    return Fetched(found)


class SegmentListSource:
    """The list of the user's segment."""

    level = Level.SEGMENT

    def fetch(self, query: Query) -> Fetched:
        if query.segment == Segment.ALL:
            return Fetched(None, "the user is in no segment")
        return _fetch(query, query.segment)


class PopularListSource:
    """The list of everybody."""

    level = Level.POPULAR

    def fetch(self, query: Query) -> Fetched:
        return _fetch(query, Segment.ALL)
