"""The live schedule as the events that the platform would send, in order, at any speed."""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from contracts.live_events import EndLive, GoLive, Heartbeat
from world.population import FIRST_STREAMER_ID
from world.snapshots import categories
from world.streams import Streams
from world.visits import Scene

LiveEvent = GoLive | Heartbeat | EndLive


@dataclass(frozen=True)
class Pulse:
    """How broadcasts report.

    Args:
        heartbeat_seconds: Between two signs of life.
        crash_share: Broadcasts that fall silent at their end instead of saying so.
    """

    heartbeat_seconds: float = 30.0
    crash_share: float = 0.0


@dataclass(frozen=True)
class Timed:
    """An event and its moment in epoch seconds."""

    at: float
    event: LiveEvent


def live_events(scene: Scene, begin: float, end: float, pulse: Pulse, streams: Streams) -> Iterator[Timed]:
    """Every event of [begin, end), by time; who is on at the beginning goes live there."""
    rows = scene.schedule.on_between(begin, end)
    crashed = streams.rng("crashes").random(len(scene.schedule.streamer))[rows] < pulse.crash_share
    runs = (
        _broadcast(scene, int(row), bool(crash), (begin, end), pulse) for row, crash in zip(rows, crashed, strict=True)
    )
    return heapq.merge(*runs, key=lambda timed: timed.at)


def paced(
    events: Iterator[Timed],
    begin: float,
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Timed]:
    """The events at the moments they are due, `speed` times as fast as they happened."""
    start = clock()
    for timed in events:
        sleep(max(0.0, (timed.at - begin) / speed - (clock() - start)))
        yield timed


def _broadcast(scene: Scene, row: int, crashes: bool, span: tuple[float, float], pulse: Pulse) -> Iterator[Timed]:
    schedule = scene.schedule
    started, ended = float(schedule.started[row]), float(schedule.ended[row])
    ids: dict[str, Any] = {
        "streamer_id": int(schedule.streamer[row]) + FIRST_STREAMER_ID,
        "broadcast_id": int(schedule.ids[row]),
    }
    first, last = max(started, span[0]), min(ended, span[1])
    told = {**ids, "started_at": _moment(started), **_details(scene, int(schedule.streamer[row]))}
    yield Timed(first, GoLive(event_time=_moment(first), **told))
    for at in np.arange(first + pulse.heartbeat_seconds, last, pulse.heartbeat_seconds):
        yield Timed(float(at), Heartbeat(event_time=_moment(at), started_at=_moment(started), **ids))
    if ended < span[1] and not crashes:
        yield Timed(ended, EndLive(event_time=_moment(ended), **ids))


def _details(scene: Scene, streamer: int) -> dict[str, Any]:
    streamers = scene.population.streamers
    category = categories(scene)[int(streamers.category[streamer])]
    language = list(scene.config.users.languages)[int(streamers.language[streamer])]
    return {"title": f"{category} live", "category": category, "language": language}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
