"""The user's own published list."""

from contracts.errors import PayloadError
from contracts.payload import unpack
from serving.query import Level, Query
from serving.stages import Fetched


class PersonalListSource:
    """The list that publish wrote for this user; it came with the user's row."""

    level = Level.PERSONAL

    def fetch(self, query: Query) -> Fetched:
        if query.request.user_id is None:
            return Fetched(None, "nobody is signed in")
        if query.user.packed is None:
            return Fetched(None, "the user has no list of their own in this generation")
        try:
            return Fetched(unpack(query.user.packed))
        except PayloadError as error:
            return Fetched(None, f"the user's list cannot be read: {error}")
