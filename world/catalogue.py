"""VODs and clips made from broadcasts, with their latent quality."""

from dataclasses import dataclass, fields

import numpy as np

from world.config import ContentConfig, WorldConfig
from world.population import Bools, Floats, Ints, Population, run_bounds, unit
from world.schedule import Schedule
from world.streams import Streams

FIRST_CONTENT_ID = 20_000_001
_OWN = -1
_REMOVED_WITHIN_SECONDS = 3 * 86_400.0


@dataclass(frozen=True)
class Contents:
    """Columns of N contents, by publication; `fan` is a user's row or -1, `broadcast` a row of the schedule."""

    streamer: Ints
    broadcast: Ints
    is_clip: Bools
    fan: Ints
    offset: Floats
    duration: Floats
    published: Floats
    removed: Floats
    quality: Floats
    factors: Floats

    @property
    def ids(self) -> Ints:
        return FIRST_CONTENT_ID + np.arange(len(self.streamer))

    def take(self, rows: Ints) -> "Contents":
        return Contents(*(getattr(self, field.name)[rows] for field in fields(self)))

    def available_at(self, time: float) -> Bools:
        """Which contents can be watched at a moment."""
        return (self.published <= time) & (time < self.removed)


@dataclass(frozen=True)
class _Cuts:
    """What each content is cut from: rows of the schedule and spans in seconds."""

    is_clip: bool
    broadcast: Ints
    offset: Floats
    duration: Floats
    published: Floats


def make_contents(config: WorldConfig, population: Population, schedule: Schedule, streams: Streams) -> Contents:
    """Draw VODs and clips of every broadcast of the history and of the run."""
    vods = _vods(config.contents, schedule, streams.rng("vods"))
    clips = _clips(config.contents, schedule, streams.rng("clips"))
    made = [
        _finish(config, population, schedule, cuts, streams.rng(concern))
        for cuts, concern in ((vods, "vod merits"), (clips, "clip merits"))
    ]
    doubles = _near_duplicates(config.contents, made[1], streams.rng("near-duplicates"))
    everything = _concatenate([*made, doubles])
    return everything.take(np.argsort(everything.published, kind="stable"))


def _vods(rules: ContentConfig, schedule: Schedule, rng: np.random.Generator) -> _Cuts:
    rows = np.flatnonzero(rng.random(len(schedule.streamer)) < rules.vod_share)
    length = schedule.ended[rows] - schedule.started[rows]
    published = schedule.ended[rows] + 60 * rules.vod_delay_minutes
    return _Cuts(False, rows, np.zeros(len(rows)), length, published)


def _clips(rules: ContentConfig, schedule: Schedule, rng: np.random.Generator) -> _Cuts:
    hours = (schedule.ended - schedule.started) / 3_600
    rows = np.repeat(np.arange(len(hours)), rng.poisson(rules.clips_per_hour * hours))
    whole = schedule.ended[rows] - schedule.started[rows]
    length = np.minimum(rules.clip_seconds * rng.lognormal(0.0, rules.clip_sigma, len(rows)), whole)
    offset = rng.random(len(rows)) * (whole - length)
    delay = rng.exponential(60 * rules.clip_delay_minutes, len(rows))
    return _Cuts(True, rows, offset, length, schedule.started[rows] + offset + length + delay)


def _finish(
    config: WorldConfig, population: Population, schedule: Schedule, cuts: _Cuts, rng: np.random.Generator
) -> Contents:
    rules, streamers, count = config.contents, population.streamers, len(cuts.broadcast)
    streamer = schedule.streamer[cuts.broadcast]
    is_clip = np.full(count, cuts.is_clip)
    by_fan = is_clip & (rng.random(count) < rules.fan_share)
    taken_down = rng.random(count) < rules.removed_share
    noise = unit(rng.normal(size=(count, config.taste.dim))) if count else np.zeros((0, config.taste.dim))
    return Contents(
        streamer=streamer,
        broadcast=cuts.broadcast,
        is_clip=is_clip,
        fan=np.where(by_fan, _some_users(config, population, count, rng), _OWN),
        offset=np.floor(cuts.offset),
        duration=np.ceil(cuts.duration),
        published=np.floor(cuts.published),
        removed=np.where(taken_down, cuts.published + rng.uniform(0, _REMOVED_WITHIN_SECONDS, count), np.inf),
        quality=streamers.quality[streamer] + rng.normal(0.0, rules.quality_sigma, count),
        factors=unit(streamers.factors[streamer] + config.taste.content_noise * noise),
    )


def _some_users(config: WorldConfig, population: Population, count: int, rng: np.random.Generator) -> Ints:
    """Rows of users who were there before the log began, active ones more often; of any where there were none."""
    users = population.users
    earlier = users.registered < run_bounds(config)[0]
    weight = np.where(earlier | ~earlier.any(), users.activity, 0.0)
    return rng.choice(len(weight), count, p=weight / weight.sum()).astype(np.int64)


def _near_duplicates(rules: ContentConfig, clips: Contents, rng: np.random.Generator) -> Contents:
    """The same moments again: cut a few seconds off, published later, hardly different in merit."""
    rows = np.flatnonzero(rng.random(len(clips.streamer)) < rules.near_duplicate_share)
    same = clips.take(rows)
    shift = np.floor(rng.uniform(1, 1 + same.duration / 5))
    later = rng.exponential(60 * rules.clip_delay_minutes, len(rows))
    return Contents(
        streamer=same.streamer,
        broadcast=same.broadcast,
        is_clip=same.is_clip,
        fan=same.fan,
        offset=np.maximum(same.offset - shift, 0.0),
        duration=same.duration,
        published=np.floor(same.published + later),
        removed=np.full(len(rows), np.inf),
        quality=same.quality + rng.normal(0.0, 0.1, len(rows)),
        factors=same.factors,
    )


def _concatenate(parts: list[Contents]) -> Contents:
    return Contents(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Contents)))
