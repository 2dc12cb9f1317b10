"""Visits of a day: when users come, and what stands on the slate of each visit.

Letters: n visits, K places, M owners (streamers, or the broadcasts that are on).
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from contracts.clock import day_bounds
from world.bonds import Bonds, pull
from world.catalogue import Contents
from world.config import WorldConfig
from world.population import Bools, Floats, Ints, Population
from world.schedule import Schedule
from world.streams import Streams

_NOTHING = -1


@dataclass(frozen=True)
class Visits:
    """Columns of n visits by time; `until` is when the user's next visit, or the next day, begins."""

    user: Ints
    time: Floats
    until: Floats
    wants_live: Bools

    def take(self, rows: Ints | Bools) -> "Visits":
        return Visits(self.user[rows], self.time[rows], self.until[rows], self.wants_live[rows])


@dataclass(frozen=True)
class Scene:
    """Everything that stands still within a day."""

    config: WorldConfig
    population: Population
    schedule: Schedule
    contents: Contents


def draw_visits(scene: Scene, day: date, streams: Streams) -> Visits:
    """Poisson visits per user at hours drawn from the config's weights; newcomers come after they registered."""
    config, users = scene.config, scene.population.users
    rng = streams.rng("visits", day.toordinal())
    user = np.repeat(np.arange(len(users.activity)), rng.poisson(users.activity))
    weights = np.asarray(config.hour_weights)
    hour = rng.choice(24, len(user), p=weights / weights.sum())
    time = hour_starts(day, config.time_zone)[hour] + 3_600 * rng.random(len(user))
    wants_live = rng.random(len(user)) < users.live_share[user]
    here = users.registered[user] <= time
    user, time, wants_live = user[here], time[here], wants_live[here]
    order = np.lexsort((time, user))
    until = np.full(len(user), day_bounds(day, config.time_zone)[1].timestamp())
    same = user[order][1:] == user[order][:-1]
    until[order[:-1][same]] = time[order[1:][same]]
    visits = Visits(user, time, until, wants_live)
    return visits.take(np.argsort(time, kind="stable"))


def hour_starts(day: date, time_zone: str) -> Floats:
    """Epoch seconds at which each of the 24 local hours begins."""
    zone = ZoneInfo(time_zone)
    return np.array([datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp() for hour in range(24)])


def live_slates(scene: Scene, bonds: Bonds, visits: Visits, rng: np.random.Generator) -> Ints:
    """Broadcasts (rows of the schedule, or -1) on the slate of each visit: (n, K)."""
    schedule = scene.schedule
    on = schedule.on_between(visits.time.min(), visits.time.max() + 1)
    streamer = schedule.streamer[on]
    time = visits.time[:, None]
    is_on = (schedule.started[on] <= time) & (time < schedule.ended[on])
    weights = _weights(scene, visits.user)[:, streamer] * is_on
    owners = _draw_owners(scene, bonds, visits, streamer, weights, rng)
    return _without_repeats(np.append(on, _NOTHING)[owners])


def content_slates(scene: Scene, bonds: Bonds, visits: Visits, rng: np.random.Generator) -> Ints:
    """Contents (rows of the catalogue, or -1) on the slate of each visit: (n, K)."""
    config, contents = scene.config, scene.contents
    begin = visits.time.min()
    shelf = np.flatnonzero(contents.available_at(begin))
    if not len(shelf):
        return np.full((len(visits.user), config.choice.slate_length), _NOTHING)
    shelf = shelf[np.argsort(contents.streamer[shelf], kind="stable")]
    age_days = (begin - contents.published[shelf]) / 86_400
    merit = np.exp(config.choice.quality_weight * contents.quality[shelf])
    heap = np.concatenate([[0.0], np.cumsum(merit * 0.5 ** (age_days / config.contents.half_life_days))])
    everyone = np.arange(len(scene.population.streamers.size))
    first = heap[np.searchsorted(contents.streamer[shelf], everyone, side="left")]
    last = heap[np.searchsorted(contents.streamer[shelf], everyone, side="right")]
    weights = _weights(scene, visits.user) * (last > first)
    owners = _draw_owners(scene, bonds, visits, everyone, weights, rng)
    point = first[owners] + rng.random(owners.shape) * (last - first)[owners]
    at = np.clip(np.searchsorted(heap, point, side="right") - 1, 0, len(shelf) - 1)
    chosen = np.where(owners == _NOTHING, _NOTHING, np.append(shelf, _NOTHING)[at])
    gone = contents.removed[chosen] <= visits.time[:, None]
    stale = bonds.has_watched(np.broadcast_to(visits.user[:, None], chosen.shape), chosen)
    again = rng.random(chosen.shape) < config.contents.rewatch_share
    return _without_repeats(np.where(gone | (stale & ~again), _NOTHING, chosen))


def _weights(scene: Scene, users: Ints) -> Floats:
    logs = pull(scene.config.choice, scene.population, users)
    return np.exp(logs - logs.max(axis=1, keepdims=True))


def _draw_owners(
    scene: Scene, bonds: Bonds, visits: Visits, streamer: Ints, weights: Floats, rng: np.random.Generator
) -> Ints:
    """Owners of the places of each visit: (n, K).

    A place is held by a tie with chance loyalty; any other place by a streamer never watched with chance curiosity,
    else by an acquaintance. Where a visit has no such owner the place goes to any; -1 where there is none at all.
    """
    people, user = scene.population.users, visits.user[:, None]
    shape = (len(visits.user), scene.config.choice.slate_length)
    is_loyal = rng.random(shape) < people.loyalty[user]
    is_curious = ~is_loyal & (rng.random(shape) < people.curiosity[user])
    points = rng.random(shape)
    ties, known = bonds.ties[user, streamer], bonds.known[user, streamer]
    owners = _weighted_draw(weights, points)
    for wanted, allowed in (
        (is_loyal, ties),
        (is_curious, ~ties & ~known),
        (~is_loyal & ~is_curious, ~ties & known),
    ):
        drawn = _weighted_draw(weights * allowed, points)
        owners = np.where(wanted & (drawn != _NOTHING), drawn, owners)
    return owners


def _weighted_draw(weights: Floats, points: Floats) -> Ints:
    """One column per point (n, K) by the row's weights (n, M); -1 in rows without weight."""
    rows, columns = weights.shape
    if not columns:
        return np.full(points.shape, _NOTHING)
    heap = np.cumsum(weights, axis=1)
    total = heap[:, -1:]
    steps = heap / np.where(total > 0, total, 1.0) + np.arange(rows)[:, None]
    found = np.searchsorted(steps.ravel(), (points + np.arange(rows)[:, None]).ravel(), side="right")
    drawn = np.minimum(found.reshape(points.shape) - columns * np.arange(rows)[:, None], columns - 1)
    return np.where(total > 0, drawn, _NOTHING)


def _without_repeats(slates: Ints) -> Ints:
    """The same slates with an item's second and later places emptied."""
    order = np.argsort(slates, axis=1, kind="stable")
    ranked = np.take_along_axis(slates, order, axis=1)
    repeat = np.zeros(slates.shape, dtype=bool)
    repeat[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    undone = np.zeros(slates.shape, dtype=bool)
    np.put_along_axis(undone, order, repeat, axis=1)
    return np.where(undone, _NOTHING, slates)
