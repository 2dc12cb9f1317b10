"""The four kinds together: per user and kind, the best streamers, without those that the user watches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from contracts import columns as c
from contracts.names import ExplorationKind
from contracts.settings import ExplorationSettings
from contracts.tables import EXPLORATION_CANDIDATE
from jobs.transformations.exploration.co_watched import co_watched
from jobs.transformations.exploration.lapsed import lapsed
from jobs.transformations.exploration.tastes import tastes
from jobs.transformations.fusion import Ints
from jobs.transformations.scored_pairs import USERS_AT_ONCE, Links, Pairs
from jobs.transformations.user_blocks import some_users
from jobs.transformations.user_streamers import UserStreamers


@dataclass(frozen=True)
class ExplorationCandidates:
    """Makes the candidates of the users whose rows it gets.

    Args:
        related: From streamers to related ones.
        categories: From streamers to the code of their category, see `trends.Trends`.
        rising: From categories to rising streamers.
        newcomers: From categories to newcomers.
        half_life_days: Of the preferences.
    """

    related: Links
    categories: Links
    rising: Links
    newcomers: Links
    exploration: ExplorationSettings
    half_life_days: float
    available_at: datetime

    def __call__(self, rows: pa.Table) -> Iterator[pa.Table]:
        """Rows of `exploration_candidate_v1`, some users at a time.

        Args:
            rows: As `user_streamers` makes them, all of these users.
        """
        for some in some_users(rows, USERS_AT_ONCE):
            known = UserStreamers.of(some)
            found = {kind: self._unwatched(kind, pairs, known) for kind, pairs in self._kinds(known).items()}
            yield pa.concat_tables(
                self._table(some.ids, kind, *pairs.best(self.exploration.length)) for kind, pairs in found.items()
            )

    def _kinds(self, known: UserStreamers) -> dict[ExplorationKind, Pairs]:
        taste = tastes(known.visits, self.categories, self.exploration.categories)
        return {
            ExplorationKind.CO_WATCHED: co_watched(known, self.related),
            ExplorationKind.CATEGORY_RISING: self.rising.follow(taste),
            ExplorationKind.NEWCOMER: self.newcomers.follow(taste),
            ExplorationKind.LAPSED: lapsed(known, self.exploration.lapsed_days, self.half_life_days),
        }

    def _unwatched(self, kind: ExplorationKind, pairs: Pairs, known: UserStreamers) -> Pairs:
        """What is watched is no exploration, but for those who have lapsed."""
        return pairs if kind == ExplorationKind.LAPSED else pairs.where(~pairs.is_among(known.visits))

    def _table(self, ids: Ints, kind: ExplorationKind, pairs: Pairs, ranks: Ints) -> pa.Table:
        count = len(ranks)
        columns = {
            c.USER_ID: ids[pairs.users],
            c.EXPLORATION_KIND: pa.repeat(kind.value, count),
            c.RANK: ranks,
            c.STREAMER_ID: pairs.items,
            c.SCORE: pairs.scores,
            c.AVAILABLE_AT: pa.repeat(pa.scalar(self.available_at, pa.timestamp("us", tz="UTC")), count),
        }
        return pa.table(columns).cast(EXPLORATION_CANDIDATE.schema)
