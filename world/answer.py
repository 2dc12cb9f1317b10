"""What a user would do with a ranked slate: the feedback that logs cannot give for slates nobody was shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import UnknownItemError
from world.bonds import Bonds
from world.catalogue import FIRST_CONTENT_ID
from world.choice import click_chance, examination, satisfaction, watch_seconds
from world.day import meet
from world.population import FIRST_USER_ID, Bools, Floats, Ints
from world.schedule import FIRST_BROADCAST_ID
from world.visits import Scene


@dataclass(frozen=True)
class Feedback:
    """One value per place of the slate, in its order.

    Args:
        examined: the user looked at the place.
        clicked: and chose to play the item; never one that was not to be had at that moment.
        watched_seconds: 0 where nothing was played.
    """

    examined: Bools
    clicked: Bools
    watched_seconds: Floats


def answer_slate(
    scene: Scene, bonds: Bonds, who: tuple[int, float], slate: Sequence[int], rng: np.random.Generator
) -> Feedback:
    """Answer a slate by the choice model of the logs.

    Args:
        who: the user's id and the moment in epoch seconds.
        slate: content or broadcast ids, best first.

    Raises:
        UnknownItemError: the world has no such user or item.
    """
    user_id, time = who
    user, choice = _user_row(scene, user_id), scene.config.choice
    items = np.asarray(slate, dtype=np.int64)
    is_live, row = _rows(scene, items)
    examined = rng.random(len(items)) < examination(choice, np.arange(1, len(items) + 1))
    clicks, noise = rng.random(len(items)), rng.spawn(2)
    clicked, seconds = np.zeros(len(items), dtype=bool), np.zeros(len(items))
    for live, draws in zip((True, False), noise, strict=True):
        here = np.flatnonzero((is_live == live) & _is_to_be_had(scene, row, is_live, time))
        met = meet(scene, bonds, np.full(len(here), user), row[here], live, np.full(len(here), time))
        clicked[here] = examined[here] & (clicks[here] < click_chance(choice, met))
        seconds[here] = watch_seconds(choice, met, satisfaction(choice, met, draws))
    return Feedback(examined, clicked, np.where(clicked, seconds, 0.0))


def _user_row(scene: Scene, user_id: int) -> int:
    row, count = user_id - FIRST_USER_ID, len(scene.population.users.activity)
    if not 0 <= row < count:
        raise UnknownItemError(f"user {user_id} is not of this world; ids run from {FIRST_USER_ID} for {count} users")
    return row


def _rows(scene: Scene, items: Ints) -> tuple[Bools, Ints]:
    """Which items are broadcasts, and each item's row of the schedule or of the catalogue."""
    is_live = items < FIRST_CONTENT_ID
    row = items - np.where(is_live, FIRST_BROADCAST_ID, FIRST_CONTENT_ID)
    count = np.where(is_live, len(scene.schedule.streamer), len(scene.contents.streamer))
    unknown = items[(row < 0) | (row >= count)]
    if len(unknown):
        raise UnknownItemError(f"item {unknown[0]} is not of this world; a slate holds content_ids and broadcast_ids")
    return is_live, row


def _is_to_be_had(scene: Scene, row: Ints, is_live: Bools, time: float) -> Bools:
    """On, published and not removed at a moment."""
    schedule, contents = scene.schedule, scene.contents
    on, shown = np.zeros(len(row), dtype=bool), contents.available_at(time)
    broadcast = row[is_live]
    on[is_live] = (schedule.started[broadcast] <= time) & (time < schedule.ended[broadcast])
    on[~is_live] = shown[row[~is_live]]
    return on
