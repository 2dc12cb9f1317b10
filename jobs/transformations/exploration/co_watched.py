"""`co_watched`: streamers that the people who prefer the user's streamers prefer.

score(u, t) = sum over u's preferred streamers s of  w(u, s) related(s, t)      with w as in `related_streamers`
"""

from pyspark.sql import DataFrame

from jobs.transformations.live_candidates import preference_weights, related_scores


def co_watched(preferred: DataFrame, related: DataFrame) -> DataFrame:
    """User, streamer, score and `as_of`.

    Args:
        preferred: As `preferred_on` makes them, with `as_of`.
        related: `related_streamer_v1` with `as_of`.
    """
    return related_scores(preference_weights(preferred), related)
