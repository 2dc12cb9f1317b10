"""Each claim of the config holds in what the world does, and its test would notice if the mechanism were off.

Tolerances are four standard errors (one false alarm in 16,000) of the statistic at the sample's size.
"""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from tests.world.configs import plain, small
from world.choice import CLIP
from world.config import WorldConfig
from world.days import Day
from world.population import Bools, Floats
from world.visits import hour_starts
from world.world import World

_SIGMAS = 4.0


def _one_day(config: WorldConfig) -> Day:
    return next(iter(World.from_config(config).days()))


def _z(hits: Bools, chances: Floats) -> float:
    """How many standard errors a number of hits lies from the sum of independent chances."""
    return float(abs(hits.sum() - chances.sum()) / np.sqrt((chances * (1 - chances)).sum()))


def _tie_hits(day: Day) -> tuple[Bools, Floats]:
    """Plays by users who have ties: is it one, and with which chance by the user's loyalty."""
    plays = day.plays.take(day.bonds.ties.any(axis=1)[day.plays.user])
    return day.bonds.ties[plays.user, plays.streamer], day.scene.population.users.loyalty[plays.user]


def _discovery_hits(day: Day) -> tuple[Bools, Floats]:
    """Plays off the ties, by users who have acquaintances: is it a discovery, and with which chance."""
    bonds, plays = day.bonds, day.plays
    has_both = bonds.ties.any(axis=1) & (bonds.known & ~bonds.ties).any(axis=1)
    plays = plays.take(has_both[plays.user] & ~bonds.ties[plays.user, plays.streamer])
    return ~bonds.known[plays.user, plays.streamer], day.scene.population.users.curiosity[plays.user]


def test_users_return_to_their_ties_as_often_as_their_loyalty_says() -> None:
    day = _one_day(plain())
    hits, chances = _tie_hits(day)
    assert len(hits) > 2_000
    assert _z(hits, chances) < _SIGMAS


def test_the_loyalty_test_notices_when_loyalty_is_off() -> None:
    hits, _ = _tie_hits(_one_day(plain(users={"loyalty": 0.0})))
    assert _z(hits, np.full(len(hits), plain().users.loyalty)) > 10 * _SIGMAS


def test_users_discover_as_often_as_their_curiosity_says() -> None:
    hits, chances = _discovery_hits(_one_day(plain()))
    assert len(hits) > 800
    assert _z(hits, chances) < _SIGMAS


def test_the_curiosity_test_notices_when_curiosity_is_off() -> None:
    hits, _ = _discovery_hits(_one_day(plain(users={"curiosity": 0.0})))
    assert _z(hits, np.full(len(hits), plain().users.curiosity)) > 5 * _SIGMAS


@pytest.mark.parametrize("trait", ["loyalty", "curiosity", "live_share"])
def test_traits_have_the_mean_of_the_config(trait: str) -> None:
    config = plain(users={"live_share": 0.4})
    drawn, mean = getattr(World.from_config(config).first.scene.population.users, trait), getattr(config.users, trait)
    error = np.sqrt(mean * (1 - mean) / (config.users.concentration + 1) / len(drawn))
    assert abs(drawn.mean() - mean) < _SIGMAS * error
    assert drawn.std() > 10 * error


def _hour_statistic(generated: WorldConfig, claimed: WorldConfig) -> float:
    day = _one_day(generated)
    hours = np.searchsorted(hour_starts(day.day, generated.time_zone), day.plays.started, side="right") - 1
    weights = np.asarray(claimed.hour_weights)
    expected = len(hours) * weights / weights.sum()
    return float(stats.chisquare(np.bincount(hours, minlength=24), expected).statistic)


def test_visits_follow_the_hours_of_the_platforms_zone() -> None:
    config = plain(time_zone="Asia/Tokyo")
    assert _hour_statistic(config, config) < stats.chi2.ppf(1 - 1e-4, df=23)


def test_the_hour_test_notices_a_flat_day_and_a_wrong_zone() -> None:
    claimed = plain(time_zone="Asia/Tokyo")
    assert _hour_statistic(plain(hour_weights=(1.0,) * 24), claimed) > 10 * stats.chi2.ppf(1 - 1e-4, df=23)
    assert _hour_statistic(claimed, plain(hour_weights=np.roll(claimed.hour_weights, 9).tolist())) > 400


def _examined_shares(position_bias: float, requests: int) -> Floats:
    world = World.from_config(plain(choice={"position_bias": position_bias}))
    moment = datetime(2026, 3, 2, 20, tzinfo=UTC)
    shown = np.flatnonzero(world.first.scene.contents.available_at(moment.timestamp()))[:6]
    slate = world.first.scene.contents.ids[shown].tolist()
    rng = np.random.default_rng(5)
    user = int(world.first.scene.population.users.ids[0])
    return np.mean([world.answer(slate, user, moment, rng).clicked for _ in range(requests)], axis=0)


def test_lower_places_are_examined_as_the_position_bias_says() -> None:
    bias, requests = 0.6, 2_000
    found, claimed = _examined_shares(bias, requests), np.arange(1.0, 7.0) ** -bias
    error = np.sqrt(claimed * (1 - claimed) / requests)
    assert (np.abs(found - claimed) <= _SIGMAS * error).all()


def test_the_position_test_notices_when_the_bias_is_off() -> None:
    bias, requests = 0.6, 200
    found, claimed = _examined_shares(0.0, requests), np.arange(1.0, 7.0) ** -bias
    error = np.sqrt(claimed * (1 - claimed) / requests)
    assert (np.abs(found - claimed)[1:] > _SIGMAS * error[1:]).all()


def test_the_log_follows_the_same_position_bias_as_answers() -> None:
    config = plain(choice={"slate_length": 6}, contents={"clip_seconds": 5.0, "clips_per_hour": 30.0})
    day = _one_day(config)
    single = _one_day(plain(contents={"clip_seconds": 5.0, "clips_per_hour": 30.0}))
    per_visit = len(day.plays.user) / len(single.plays.user)
    chances = np.arange(1.0, 7.0) ** -config.choice.position_bias
    error = np.sqrt((chances * (1 - chances)).sum() / len(single.plays.user))
    lost = 0.01 * chances.sum()  # repeats on a slate, and visits that the next one cuts short
    assert abs(per_visit - chances.sum()) < _SIGMAS * error + lost
    assert 6 - per_visit > 20 * error


def _watch_coefficients(config: WorldConfig) -> tuple[Floats, Floats]:
    """Least-squares weights of (affinity, quality) in the logit of the share watched, and their standard errors."""
    day = _one_day(config)
    contents, people, plays = day.scene.contents, day.scene.population, day.plays
    affinity = np.sqrt(config.taste.dim) * (people.users.factors[plays.user] * contents.factors[plays.item]).sum(axis=1)
    tie = day.bonds.ties[plays.user, plays.streamer]
    known = np.column_stack([affinity, contents.quality[plays.item], tie, np.ones(len(tie))])
    share = np.clip(plays.seconds / contents.duration[plays.item], 1e-6, 1 - 1e-6)
    weights, residual, *_ = np.linalg.lstsq(known, np.log(share / (1 - share)), rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(known.T @ known)) * residual[0] / len(tie))
    return weights[:2], errors[:2]


def test_satisfaction_sets_the_share_watched_by_taste_and_quality() -> None:
    config = plain()
    weights, errors = _watch_coefficients(config)
    claimed = np.array([config.choice.watch_taste, config.choice.watch_quality])
    assert (np.abs(weights - claimed) < _SIGMAS * errors).all()
    off, _ = _watch_coefficients(plain(choice={"watch_taste": 0.0, "watch_quality": 0.0}))
    assert (np.abs(off - claimed) > _SIGMAS * errors).all()


def test_activity_is_uneven_as_its_spread_says() -> None:
    users = World.from_config(plain(users={"activity_sigma": 0.8})).first.scene.population.users
    spread, error = np.log(users.activity).std(), 0.8 / np.sqrt(2 * len(users.activity))
    assert abs(spread - 0.8) < _SIGMAS * error
    assert abs(users.activity.mean() - 3.0) < _SIGMAS * users.activity.std() / np.sqrt(len(users.activity))


def _return_share(loyalty: float) -> float:
    """Share of the second day's (user, streamer) pairs that the first day already had."""
    one, two = list(World.from_config(plain(days=2, users={"loyalty": loyalty})).days())
    first, second = ({*zip(day.plays.user.tolist(), day.plays.streamer.tolist(), strict=True)} for day in (one, two))
    return len(first & second) / len(second)


def test_loyalty_shows_in_the_log_alone_as_returns_on_the_next_day() -> None:
    assert _return_share(0.8) > 2 * _return_share(0.1)


def test_taste_decides_which_strangers_are_met() -> None:
    """Discoveries fit the user's taste; with the taste weight off they are strangers of no fit."""
    fits = {}
    for weight in (0.0, 1.2):
        day = _one_day(plain(users={"loyalty": 0.0, "curiosity": 1.0}, choice={"taste_weight": weight}))
        people = day.scene.population
        fit = np.sqrt(8) * people.users.factors @ people.streamers.factors.T
        fits[weight] = (fit - fit.mean(axis=1, keepdims=True))[day.plays.user, day.plays.streamer].mean()
    assert abs(fits[0.0]) < 0.2
    assert fits[1.2] > 0.7


def _largest(config: WorldConfig) -> tuple[Bools, float]:
    """Which discoveries are of the six largest streamers, and with which chance by the weights of the config."""
    day = _one_day(config)
    size = day.scene.population.streamers.size
    largest, pull = np.argsort(-size)[:6], size**config.choice.size_weight
    return np.isin(day.plays.streamer, largest), float(pull[largest].sum() / pull.sum())


def test_a_streamer_is_met_in_proportion_to_the_size() -> None:
    strangers = {"loyalty": 0.0, "curiosity": 1.0, "first_ties": 0.0, "first_known": 0.0}
    immortal = {"born_share": 0.0, "dying_share": 0.0}
    hits, chance = _largest(plain(users=strangers, streamers={**immortal, "size_exponent": 1.0}))
    assert _z(hits, np.full(len(hits), chance)) < _SIGMAS
    equals, _ = _largest(plain(users=strangers, streamers={**immortal, "size_exponent": 0.0}))
    assert _z(equals, np.full(len(equals), chance)) > 5 * _SIGMAS


def test_half_as_many_plays_after_each_half_life() -> None:
    """With one half-life a content of age a is drawn with weight 2^-a; an endless half-life forgets age."""
    ages = {}
    for half_life in (1.0, 1e6):
        day = _one_day(plain(contents={"half_life_days": half_life}))
        ages[half_life] = np.median(day.plays.started - day.scene.contents.published[day.plays.item]) / 86_400
    assert ages[1.0] < 1.5
    assert ages[1e6] > 2.5


def test_clips_are_made_by_fans_and_doubled_as_often_as_the_config_says() -> None:
    rules = small().contents
    contents = World.from_config(plain()).first.scene.contents
    clips = contents.take(np.flatnonzero(contents.is_clip))
    count = len(clips.fan)
    fans = (clips.fan >= 0).mean()
    assert abs(fans - rules.fan_share) < 2 * _SIGMAS * np.sqrt(rules.fan_share * (1 - rules.fan_share) / count)
    moments = np.unique(np.column_stack([clips.broadcast, clips.duration, clips.factors[:, 0]]), axis=0)
    doubles = 1 - len(moments) / count
    assert abs(doubles - rules.near_duplicate_share / (1 + rules.near_duplicate_share)) < 0.02
    assert (_one_day(plain()).plays.kind == CLIP).all()
