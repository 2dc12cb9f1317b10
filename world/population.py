"""Users and streamers with their latent tastes.

Letters: U users, S streamers, C categories, D dimensions of the taste space.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contracts.clock import day_bounds
from world.config import TasteConfig, UserConfig, WorldConfig
from world.streams import Streams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FIRST_USER_ID = 1_000_001
FIRST_STREAMER_ID = 1
_YEAR_SECONDS = 365 * 86_400.0


@dataclass(frozen=True)
class Users:
    """Columns of U values; factors are (U, D) unit vectors, times are epoch seconds."""

    factors: Floats
    activity: Floats
    loyalty: Floats
    curiosity: Floats
    live_share: Floats
    language: Ints
    country: Ints
    registered: Floats

    @property
    def ids(self) -> Ints:
        return FIRST_USER_ID + np.arange(len(self.activity))

    def take(self, rows: Ints) -> "Users":
        return Users(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Streamers:
    """Columns of S values; factors are (S, D) unit vectors, births and deaths are epoch seconds."""

    factors: Floats
    size: Floats
    category: Ints
    language: Ints
    quality: Floats
    born: Floats
    dies: Floats

    @property
    def ids(self) -> Ints:
        return FIRST_STREAMER_ID + np.arange(len(self.size))


@dataclass(frozen=True)
class Population:
    """Everybody on the platform."""

    users: Users
    streamers: Streamers

    def affinity(self, users: Ints, factors: Floats) -> Floats:
        """How much each user likes each of some factors: (n, m), about standard normal for a stranger."""
        return np.sqrt(factors.shape[1]) * (self.users.factors[users] @ factors.T)


def unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_population(config: WorldConfig, streams: Streams) -> Population:
    """Draw users and streamers around shared category centres."""
    rng = streams.rng("categories")
    centres = unit(rng.normal(size=(config.streamers.categories, config.taste.dim)))
    return Population(_make_users(config, centres, streams), _make_streamers(config, centres, streams))


def _make_users(config: WorldConfig, centres: Floats, streams: Streams) -> Users:
    users, rng = config.users, streams.rng("users")
    spread = users.activity_sigma
    return Users(
        factors=_user_factors(config.taste, centres, users.count, streams.rng("user tastes")),
        activity=users.sessions_per_day * rng.lognormal(-(spread**2) / 2, spread, users.count),
        loyalty=_shares(users, users.loyalty, streams.rng("loyalty")),
        curiosity=_shares(users, users.curiosity, streams.rng("curiosity")),
        live_share=_shares(users, users.live_share, streams.rng("live share")),
        language=_categorical(list(users.languages.values()), users.count, rng),
        country=_categorical(list(users.countries.values()), users.count, rng),
        registered=_arrivals(config, users.count, users.joining_share, streams.rng("registrations")),
    )


def _make_streamers(config: WorldConfig, centres: Floats, streams: Streams) -> Streamers:
    streamers, rng = config.streamers, streams.rng("streamers")
    weights = np.arange(1, streamers.categories + 1) ** -streamers.category_exponent
    category = _categorical(list(weights), streamers.count, rng)
    noise = unit(streams.rng("streamer tastes").normal(size=(streamers.count, config.taste.dim)))
    return Streamers(
        factors=unit(centres[category] + config.taste.streamer_noise * noise),
        size=rng.permutation(np.arange(1, streamers.count + 1) ** -streamers.size_exponent),
        category=category,
        language=_categorical(list(config.users.languages.values()), streamers.count, rng),
        quality=rng.normal(0.0, config.contents.streamer_quality_sigma, streamers.count),
        born=_arrivals(config, streamers.count, streamers.born_share, streams.rng("births")),
        dies=_departures(config, streamers.count, streamers.dying_share, streams.rng("deaths")),
    )


def _user_factors(taste: TasteConfig, centres: Floats, count: int, rng: np.random.Generator) -> Floats:
    mixture = rng.dirichlet(np.full(len(centres), taste.topics_per_user), count)
    noise = unit(rng.normal(size=(count, taste.dim)))
    return unit(unit(mixture @ centres) + taste.user_noise * noise)


def _shares(users: UserConfig, mean: float, rng: np.random.Generator) -> Floats:
    """Beta draws with a given mean; a mean of 0 or 1 leaves no room to differ."""
    if mean in {0.0, 1.0}:
        return np.full(users.count, mean)
    return rng.beta(mean * users.concentration, (1 - mean) * users.concentration, users.count)


def _categorical(weights: list[float], count: int, rng: np.random.Generator) -> Ints:
    shares = np.asarray(weights, dtype=float)
    return rng.choice(len(shares), count, p=shares / shares.sum()).astype(np.int64)


def _arrivals(config: WorldConfig, count: int, share: float, rng: np.random.Generator) -> Floats:
    """Most came within the year before the log; a share comes while it is written."""
    begin, end = run_bounds(config)
    before = day_bounds(config.first_schedule_day, config.time_zone)[0].timestamp()
    old = rng.uniform(before - _YEAR_SECONDS, before, count)
    return np.floor(np.where(rng.random(count) < share, rng.uniform(begin, end, count), old))


def _departures(config: WorldConfig, count: int, share: float, rng: np.random.Generator) -> Floats:
    begin, end = run_bounds(config)
    return np.where(rng.random(count) < share, rng.uniform(begin, end, count), np.inf)


def run_bounds(config: WorldConfig) -> tuple[float, float]:
    """First moment of the first logged day and end of the last one, in epoch seconds."""
    begin = day_bounds(config.first_day, config.time_zone)[0]
    return begin.timestamp(), day_bounds(config.last_day, config.time_zone)[1].timestamp()
