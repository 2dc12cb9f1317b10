"""`newcomer`: new or small streamers of the user's categories whose views are valued highly.

    score(u, s) = share of u's visits that went to s's category * lower bound of the value of s's views

New: the first view is at most `newcomer_days` old, and the log goes further back than that. Small: of the
`small_share` of streamers with the fewest viewers. The lower bound, over viewers, keeps three friends from making a
star.
"""

import numpy as np

from contracts.settings import ExplorationSettings
from jobs.transformations.exploration.trends import Trends
from jobs.transformations.scored_pairs import Links


def newcomers(trends: Trends, exploration: ExplorationSettings) -> Links:
    """The best-valued newcomers of each category."""
    fewer = np.searchsorted(np.sort(trends.viewers), trends.viewers)
    is_small = fewer < exploration.small_share * max(1, len(trends.viewers) - 1)
    is_new = (trends.age_days < exploration.newcomer_days) & (trends.log_days >= exploration.newcomer_days)
    is_evident = (trends.viewers >= exploration.min_viewers) & (trends.value > 0)
    return trends.best_of_categories(trends.value, (is_small | is_new) & is_evident, exploration.per_category)
