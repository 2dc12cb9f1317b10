"""`co_watched`: streamers that the people who prefer the user's streamers prefer, see `scored_pairs.related_scores`."""

from jobs.transformations.scored_pairs import Links, Pairs, related_scores
from jobs.transformations.user_streamers import UserStreamers


def co_watched(known: UserStreamers, related: Links) -> Pairs:
    """User, streamer and score."""
    return related_scores(known.preferred, related)
