"""The categories that users like."""

from jobs.transformations.scored_pairs import Links, Pairs


def tastes(visits: Pairs, categories: Links, count: int) -> Pairs:
    """User, code of the category and share of the visits, of each user's `count` categories with most visits.

    Args:
        categories: From streamers to categories; visits to a streamer without one tell no taste.
    """
    return categories.follow(visits).added_up().as_shares().best(count)[0]
