"""The list of a group of users: the user's segment, or everybody."""

from dataclasses import dataclass

from contracts.names import Segment
from serving.query import Level, Query
from serving.sources.unpacked import unpacked
from serving.stages import Fetched
from serving.stores.protocol import GenerationStore


def _fetch(store: GenerationStore, query: Query, segment: str) -> Fetched:
    return unpacked(store.segment_list(query.generation, query.lists, segment), f"segment `{segment}`")


@dataclass(frozen=True)
class SegmentListSource:
    """The list of the user's segment."""

    store: GenerationStore
    level = Level.SEGMENT

    def fetch(self, query: Query) -> Fetched:
        if query.segment == Segment.ALL:
            return Fetched(None, "the user is in no segment")
        return _fetch(self.store, query, query.segment)


@dataclass(frozen=True)
class PopularListSource:
    """The list of everybody."""

    store: GenerationStore
    level = Level.POPULAR

    def fetch(self, query: Query) -> Fetched:
        return _fetch(self.store, query, Segment.ALL)
