"""One day of the platform: visits, slates, choices and watches, hour by hour."""

from datetime import date

import numpy as np

from world.bonds import Bonds
from world.choice import CLIP, LIVE, VOD, Encounter, click_chance, examination, satisfaction, watch_seconds
from world.plays import Plays, join
from world.population import Floats, Ints
from world.streams import Streams
from world.visits import Scene, Visits, content_slates, draw_visits, hour_starts, live_slates


def simulate_day(scene: Scene, bonds: Bonds, day: date, streams: Streams) -> Plays:
    """Everything users played on a day, by time; examined places that were not played have 0 seconds."""
    visits = draw_visits(scene, day, streams)
    slates = streams.rng("slates", day.toordinal())
    choices = streams.rng("choices", day.toordinal())
    parts = [_no_plays()]
    hour = np.searchsorted(hour_starts(day, scene.config.time_zone), visits.time, side="right")
    for wants_live in (True, False):
        draw = live_slates if wants_live else content_slates
        for this_hour in range(25):
            chosen = visits.take((hour == this_hour) & (visits.wants_live == wants_live))
            if len(chosen.user):
                slate = draw(scene, bonds, chosen, slates)
                parts.append(_play_out(scene, bonds, chosen, slate, choices))
    return join(parts)


def meet(scene: Scene, bonds: Bonds, user: Ints, item: Ints, is_live: bool, time: Floats) -> Encounter:
    """What a user finds in an item, a row of the schedule or of the catalogue."""
    population, schedule, contents = scene.population, scene.schedule, scene.contents
    if is_live:
        streamer = schedule.streamer[item]
        factors, quality = population.streamers.factors[streamer], population.streamers.quality[streamer]
        attention = 60 * scene.config.choice.live_attention_minutes
        length = np.clip(schedule.ended[item] - time, 0.0, attention)
        kind = np.full(len(item), LIVE)
    else:
        streamer, factors, quality = contents.streamer[item], contents.factors[item], contents.quality[item]
        length, kind = contents.duration[item], np.where(contents.is_clip[item], CLIP, VOD)
    affinity = np.sqrt(factors.shape[1]) * np.einsum("nd,nd->n", population.users.factors[user], factors)
    return Encounter(kind, affinity, quality, bonds.ties[user, streamer], length)


def _play_out(scene: Scene, bonds: Bonds, visits: Visits, slates: Ints, rng: np.random.Generator) -> Plays:
    """Walk the slates (n, K) by the choice model; the plays of a visit follow each other."""
    choice, is_live = scene.config.choice, bool(visits.wants_live[0])
    position: Ints = np.cumsum(slates >= 0, axis=1, dtype=np.int64)
    row, place = np.nonzero(slates >= 0)
    item = slates[row, place]
    met = meet(scene, bonds, visits.user[row], item, is_live, visits.time[row])
    examined = rng.random(len(item)) < examination(choice, position[row, place])
    clicked = examined & (rng.random(len(item)) < click_chance(choice, met))
    satisfied = satisfaction(choice, met, rng)
    gap = rng.exponential(choice.gap_seconds, len(item))
    seconds = np.where(clicked, watch_seconds(choice, met, satisfied), 0.0)
    started = visits.time[row] + _time_before(row, gap + seconds)
    end = np.minimum(visits.until[row], _closing(scene, item, is_live))
    streamer = (scene.schedule if is_live else scene.contents).streamer[item]
    plays = Plays(
        visits.user[row], met.kind, item, streamer, started, np.minimum(seconds, end - started), satisfied, clicked
    )
    return plays.take(examined & (started < end))


def _time_before(row: Ints, busy: Floats) -> Floats:
    """Seconds spent on the earlier places of the same visit; `row` is the visit and does not fall."""
    before = np.cumsum(busy) - busy
    return before - before[np.searchsorted(row, row, side="left")]


def _closing(scene: Scene, item: Ints, is_live: bool) -> Floats:
    return scene.schedule.ended[item] if is_live else scene.contents.removed[item]


def _no_plays() -> Plays:
    none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Plays(none, none, none, none, nothing, nothing, nothing, np.zeros(0, dtype=bool))
