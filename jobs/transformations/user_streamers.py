"""Whom users prefer and whom they watch, in rows of one shape for the workers."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations.as_of import AS_OF
from jobs.transformations.fusion import Ints
from jobs.transformations.scored_pairs import Pairs
from jobs.transformations.user_blocks import SomeUsers

_IS_VISIT, _AGE = "is_visit", "age_of_last_view"


def user_streamers(preferred: DataFrame, visits: DataFrame) -> DataFrame:
    """Rows of both, numbers only, none of them null: numpy takes them over as they are.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
        visits: Streamers that each user has watched in the window, see `streamer_orientation.visits`.
    """
    age = f.datediff(AS_OF, c.LAST_VIEW_DAY).cast("long")
    liked = preferred.select(c.USER_ID, c.STREAMER_ID, c.SCORE, age.alias(_AGE), f.lit(False).alias(_IS_VISIT))
    count = f.col(c.VISITS).cast("double").alias(c.SCORE)
    age_of_none, is_visit = f.lit(0).cast("long").alias(_AGE), f.lit(True).alias(_IS_VISIT)
    return liked.unionByName(visits.select(c.USER_ID, c.STREAMER_ID, count, age_of_none, is_visit))


@dataclass(frozen=True)
class UserStreamers:
    """What the rows say of some users.

    Args:
        preferred: By user and streamer, with the score of the preference.
        ages: Days since the last view of each preferred streamer.
        visits: By user and streamer, with the number of visits.
    """

    preferred: Pairs
    ages: Ints
    visits: Pairs

    @classmethod
    def of(cls, some: SomeUsers) -> "UserStreamers":
        """Out of rows of `user_streamers` in any order: whatever is added up then has one order in every run."""
        is_visit = some.rows.column(_IS_VISIT).to_numpy()
        columns = (some.users, *(some.rows.column(name).to_numpy() for name in (c.STREAMER_ID, c.SCORE)))
        pairs, ages = Pairs(*columns), some.rows.column(_AGE).to_numpy()
        order = pairs.order()
        liked = order[~is_visit[order]]
        return cls(pairs.where(liked), ages[liked], pairs.where(order[is_visit[order]]))
