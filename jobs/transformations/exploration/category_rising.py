"""`category_rising`: streamers of the user's categories who win viewers.

    rise(s)     = log((recent viewers a day + k) / (earlier viewers a day + k))
    score(u, s) = share of u's visits that went to s's category * rise(s)

A viewer is a user with a valued view on a day; k keeps a step from one viewer to three from being a rise.
"""

import numpy as np

from contracts.settings import ExplorationSettings
from jobs.transformations.exploration.trends import Trends
from jobs.transformations.scored_pairs import Links


def rising(trends: Trends, exploration: ExplorationSettings) -> Links:
    """The streamers of each category who rise most."""
    prior = exploration.prior_daily_viewers
    rise = np.log((trends.recent_rate + prior) / (trends.earlier_rate + prior))
    return trends.best_of_categories(rise, rise > np.log(exploration.min_rise), exploration.per_category)
