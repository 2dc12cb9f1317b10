"""The lists that go with what the request names: a content or a streamer."""

from dataclasses import dataclass

from serving.query import Level, Query
from serving.sources.unpacked import unpacked
from serving.stages import Fetched


@dataclass(frozen=True)
class TargetListSource:
    """A list that was read because of the request's context.

    Args:
        place: Among the wiring's `targets`.
        whose: What such a list goes with, as words of a note.
        level: How near it is to what was asked for.
    """

    place: int
    whose: str
    level: Level = Level.TARGET

    def fetch(self, query: Query) -> Fetched:
        if query.problem:
            return Fetched(None)
        if self.place >= len(query.user.targets):
            return Fetched(None, f"the catalogue does not know whose content {query.request.context} is")
        return unpacked(query.user.targets[self.place], f"{self.whose} {query.request.context}")
