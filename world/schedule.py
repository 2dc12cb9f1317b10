"""The live schedule: every broadcast with its start and end, known in advance to the world alone."""

from dataclasses import dataclass

import numpy as np

from contracts.clock import day_bounds, days_between
from world.config import StreamerConfig, WorldConfig
from world.population import Bools, Floats, Ints, Streamers
from world.streams import Streams

FIRST_BROADCAST_ID = 10_000_001
_PAUSE_SECONDS = 600.0


@dataclass(frozen=True)
class Schedule:
    """Columns of B broadcasts, by start; times are epoch seconds."""

    streamer: Ints
    started: Floats
    ended: Floats

    @property
    def ids(self) -> Ints:
        return FIRST_BROADCAST_ID + np.arange(len(self.streamer))

    def on_at(self, time: float) -> Ints:
        """Rows of the broadcasts that are on at a moment."""
        return np.flatnonzero((self.started <= time) & (time < self.ended))

    def on_between(self, begin: float, end: float) -> Ints:
        """Rows of the broadcasts that are on at some time of [begin, end)."""
        return np.flatnonzero((self.started < end) & (self.ended > begin))


def make_schedule(config: WorldConfig, streamers: Streamers, streams: Streams) -> Schedule:
    """Draw each streamer's weekdays, usual hour, and from them every broadcast of the history and of the run."""
    rules, count = config.streamers, len(streamers.size)
    rng = streams.rng("schedules")
    weekdays = rng.random((count, 7)) < rules.broadcasts_per_week / 7
    usual = _usual_start(config, count, rng)
    parts: list[tuple[Ints, Floats, Floats]] = []
    for day in days_between(config.first_schedule_day, config.last_day):
        begin = day_bounds(day, config.time_zone)[0].timestamp()
        draws = streams.rng("broadcasts", day.toordinal())
        started, length = _one_day(rules, begin + usual, draws)
        alive = (streamers.born <= started) & (started < streamers.dies)
        on = np.flatnonzero(alive & weekdays[:, day.weekday()])
        parts.append((on, started[on], started[on] + length[on]))
    streamer, started, ended = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((streamer, started))
    streamer, started, ended = streamer[order], started[order], ended[order]
    ended = _end_before_next(streamer, started, ended)
    keep: Bools = ended > started
    return Schedule(streamer[keep], started[keep], ended[keep])


def _usual_start(config: WorldConfig, count: int, rng: np.random.Generator) -> Floats:
    """Seconds of the local day; streamers start when viewers come."""
    weights = np.asarray(config.hour_weights)
    hours = rng.choice(24, count, p=weights / weights.sum())
    return 3_600.0 * (hours + rng.random(count))


def _one_day(rules: StreamerConfig, usual: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    jitter = rng.normal(0.0, 60 * rules.start_jitter_minutes, len(usual))
    hours = rules.broadcast_hours * rng.lognormal(0.0, rules.broadcast_sigma, len(usual))
    return np.floor(usual + jitter), np.floor(3_600 * np.minimum(hours, rules.max_broadcast_hours))


def _end_before_next(streamer: Ints, started: Floats, ended: Floats) -> Floats:
    """A streamer's broadcast ends ten minutes before the next one begins, at the latest."""
    order = np.lexsort((started, streamer))
    following = np.full(len(order), np.inf)
    same = streamer[order][1:] == streamer[order][:-1]
    following[:-1] = np.where(same, started[order][1:] - _PAUSE_SECONDS, np.inf)
    bounded = ended.copy()
    bounded[order] = np.minimum(ended[order], following)
    return bounded
