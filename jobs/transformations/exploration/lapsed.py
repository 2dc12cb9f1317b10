"""`lapsed`: streamers whom the user once preferred and has not come to for a while.

score(u, s) = score of preference * 2^(age of the last visit / half-life): what it was at the last visit
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from jobs.transformations.arithmetic import decay
from jobs.transformations.as_of import AS_OF


def lapsed(preferred: DataFrame, lapsed_days: int, half_life_days: float) -> DataFrame:
    """User, streamer, score and `as_of`.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
        lapsed_days: Days without a visit.
        half_life_days: The preferences' own.
    """
    age = f.datediff(AS_OF, c.LAST_VIEW_DAY)
    return preferred.where(age >= f.lit(lapsed_days)).select(
        AS_OF, c.USER_ID, c.STREAMER_ID, (f.col(c.SCORE) / decay(age, half_life_days)).alias(c.SCORE)
    )
