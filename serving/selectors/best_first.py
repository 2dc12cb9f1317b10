"""The top of the ranking."""

from serving.frame import Index
from serving.query import Query
from serving.stages import Ranking


class BestFirstSelector:
    """As many as were asked for."""

    def select(self, ranking: Ranking, query: Query) -> Index:
        return ranking.order[: query.request.limit]
