"""What users carry from day to day: ties to streamers, what they know, what they have watched."""

from dataclasses import dataclass

import numpy as np

from world.choice import LIVE, logistic
from world.config import BondConfig, ChoiceConfig, WorldConfig
from world.plays import Plays
from world.population import Bools, Floats, Ints, Population, run_bounds
from world.streams import Streams

CONTENT_SPAN = 1 << 32


@dataclass(frozen=True)
class Bonds:
    """The state at the start of a day.

    Args:
        ties: (U, S) streamers that a user comes back to.
        known: (U, S) streamers that a user has ever watched.
        watched: sorted keys user * CONTENT_SPAN + content, by rows.
    """

    ties: Bools
    known: Bools
    watched: Ints

    def has_watched(self, users: Ints, contents: Ints) -> Bools:
        """Whether each user has watched each content before today."""
        if not len(self.watched):
            return np.zeros(users.shape, dtype=bool)
        keys = users * CONTENT_SPAN + contents
        at = np.minimum(np.searchsorted(self.watched, keys), len(self.watched) - 1)
        return self.watched[at] == keys


def pull(choice: ChoiceConfig, population: Population, users: Ints) -> Floats:
    """Log weight with which each streamer is offered to each of n users: (n, S)."""
    streamers = population.streamers
    same_language = population.users.language[users][:, None] == streamers.language[None, :]
    return (
        choice.size_weight * np.log(streamers.size)[None, :]
        + choice.taste_weight * population.affinity(users, streamers.factors)
        + choice.language_weight * same_language
    )


def first_bonds(config: WorldConfig, population: Population, streams: Streams) -> Bonds:
    """Ties and acquaintances from before the log: a Gumbel draw of each user's likeliest streamers."""
    rng = streams.rng("first bonds")
    users, count, streamers = config.users, len(population.users.activity), population.streamers
    score = pull(config.choice, population, np.arange(count)) + rng.gumbel(size=(count, len(streamers.size)))
    score[:, streamers.born >= run_bounds(config)[0]] = -np.inf
    rank = np.argsort(np.argsort(-score, axis=1), axis=1)
    ties = rng.poisson(users.first_ties, count)
    known = ties + rng.poisson(users.first_known, count)
    return Bonds(rank < ties[:, None], rank < known[:, None], np.zeros(0, dtype=np.int64))


def adopted(bonds: BondConfig, state: Bonds, plays: Plays, rng: np.random.Generator) -> Ints:
    """Rows of the plays that make a new tie, the first of each pair."""
    chance = bonds.adoption * logistic(2 * plays.satisfied) * (plays.seconds > 0)
    rows = np.flatnonzero((rng.random(len(plays.user)) < chance) & ~state.ties[plays.user, plays.streamer])
    keys = plays.user[rows] * CONTENT_SPAN + plays.streamer[rows]
    return rows[np.sort(np.unique(keys, return_index=True)[1])]


def next_day(bonds: BondConfig, state: Bonds, plays: Plays, new_ties: Ints, rng: np.random.Generator) -> Bonds:
    """The state after a day: ties that ended, ties that formed, what was watched."""
    ties, held = state.ties.copy(), np.nonzero(state.ties)
    ties[held] = rng.random(len(held[0])) >= bonds.churn_per_day
    ties[plays.user[new_ties], plays.streamer[new_ties]] = True
    known = state.known.copy()
    known[plays.user, plays.streamer] = True
    lasting = plays.kind != LIVE
    keys = plays.user[lasting] * CONTENT_SPAN + plays.item[lasting]
    return Bonds(ties, known, np.union1d(state.watched, keys))
