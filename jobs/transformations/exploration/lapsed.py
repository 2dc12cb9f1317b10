"""`lapsed`: streamers whom the user once preferred and has not come to for a while.

score(u, s) = score of preference * 2^(age of the last visit / half-life): what it was at the last visit
"""

import numpy as np

from jobs.transformations.scored_pairs import Pairs
from jobs.transformations.user_streamers import UserStreamers


def lapsed(known: UserStreamers, lapsed_days: int, half_life_days: float) -> Pairs:
    """User, streamer and score.

    Args:
        lapsed_days: Days without a visit.
        half_life_days: The preferences' own.
    """
    at_last_visit = known.preferred.scores * np.exp2(known.ages / half_life_days)
    return known.preferred.with_scores(at_last_visit).where(known.ages >= lapsed_days)
