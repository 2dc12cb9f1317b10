"""The user's own published list."""

from serving.query import Level, Query
from serving.sources.unpacked import unpacked
from serving.stages import Fetched


class PersonalListSource:
    """The list that publish wrote for this user; it came with the user's row."""

    level = Level.PERSONAL

    def fetch(self, query: Query) -> Fetched:
        if query.user_id is None:
            return Fetched(None, "nobody is signed in")
        if query.problem:
            return Fetched(None)
        return unpacked(query.user.packed, "the user")
