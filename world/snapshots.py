"""Daily snapshots of users, streamers, broadcasts and contents, as the platform knows them at the end of a day."""

from datetime import date

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.names import Visibility
from contracts.tables import BROADCAST, CONTENT, STREAMER, USER
from world.choice import CLIP, KINDS, VOD
from world.config import UserConfig
from world.log import as_table, timestamps, words
from world.plays import Raid
from world.population import FIRST_STREAMER_ID, FIRST_USER_ID, Users
from world.schedule import FIRST_BROADCAST_ID
from world.visits import Scene


def snapshots(scene: Scene, day: date, raid: Raid | None = None) -> dict[str, pa.Table]:
    """The day's snapshot of each table, by the table's versioned name; an attack's accounts look like any other."""
    begin, end = (moment.timestamp() for moment in day_bounds(day, scene.config.time_zone))
    return {
        USER.name: user_rows(scene, end, raid),
        STREAMER.name: streamer_rows(scene, end),
        BROADCAST.name: broadcast_rows(scene, begin, end),
        CONTENT.name: content_rows(scene, end),
    }


def user_rows(scene: Scene, end: float, raid: Raid | None = None) -> pa.Table:
    """Users registered by a moment."""
    honest = _user_rows(scene.config.users, scene.population.users, FIRST_USER_ID, end)
    if raid is None:
        return honest
    first = FIRST_USER_ID + len(scene.population.users.activity)
    return pa.concat_tables([honest, _user_rows(scene.config.users, raid.accounts, first, end)])


def _user_rows(config: UserConfig, users: Users, first_id: int, end: float) -> pa.Table:
    here = np.flatnonzero(users.registered < end)
    return as_table(
        USER,
        {
            c.USER_ID: first_id + here,
            c.REGISTERED_AT: timestamps(users.registered[here]),
            c.LANGUAGE: words(list(config.languages), users.language[here]),
            c.COUNTRY: words(list(config.countries), users.country[here]),
        },
    )


def streamer_rows(scene: Scene, end: float) -> pa.Table:
    """Streamers born by a moment; those who stopped stay known."""
    streamers = scene.population.streamers
    here = streamers.born < end
    return as_table(
        STREAMER,
        {
            c.STREAMER_ID: streamers.ids[here],
            c.NAME: pa.array([f"streamer {identity}" for identity in streamers.ids[here]], pa.string()),
            c.CATEGORY: words(categories(scene), streamers.category[here]),
            c.LANGUAGE: words(list(scene.config.users.languages), streamers.language[here]),
            c.CREATED_AT: timestamps(streamers.born[here]),
        },
    )


def broadcast_rows(scene: Scene, begin: float, end: float) -> pa.Table:
    """Broadcasts that were on in [begin, end); those still on have no end yet."""
    schedule, streamers = scene.schedule, scene.population.streamers
    rows = schedule.on_between(begin, end)
    streamer = schedule.streamer[rows]
    category = streamers.category[streamer]
    ended = np.where(schedule.ended[rows] < end, schedule.ended[rows], np.inf)
    return as_table(
        BROADCAST,
        {
            c.BROADCAST_ID: schedule.ids[rows],
            c.STREAMER_ID: streamer + FIRST_STREAMER_ID,
            c.STARTED_AT: timestamps(schedule.started[rows]),
            c.ENDED_AT: timestamps(ended),
            c.TITLE: words([f"{name} live" for name in categories(scene)], category),
            c.CATEGORY: words(categories(scene), category),
        },
    )


def content_rows(scene: Scene, end: float) -> pa.Table:
    """Contents published by a moment, those taken down among them."""
    contents, streamers = scene.contents, scene.population.streamers
    rows = np.flatnonzero(contents.published < end)
    made = contents.take(rows)
    category = streamers.category[made.streamer]
    creator = np.where(made.fan >= 0, made.fan + FIRST_USER_ID, made.streamer + FIRST_STREAMER_ID)
    kind = np.where(made.is_clip, CLIP, VOD)
    titles = [f"{name} {kind}" for kind in ("broadcast", "moment") for name in categories(scene)]
    return as_table(
        CONTENT,
        {
            c.CONTENT_ID: contents.ids[rows],
            c.CONTENT_KIND: words(list(KINDS), kind),
            c.STREAMER_ID: made.streamer + FIRST_STREAMER_ID,
            c.CREATOR_ID: creator,
            c.BROADCAST_ID: made.broadcast + FIRST_BROADCAST_ID,
            c.OFFSET_SECONDS: made.offset,
            c.DURATION_SECONDS: made.duration,
            c.TITLE: _numbered(words(titles, category + len(titles) // 2 * made.is_clip), contents.ids[rows]),
            c.CATEGORY: words(categories(scene), category),
            c.LANGUAGE: words(list(scene.config.users.languages), streamers.language[made.streamer]),
            c.PUBLISHED_AT: timestamps(made.published),
            c.VISIBILITY: words([Visibility.PUBLIC, Visibility.REMOVED], (made.removed < end).astype(np.int64)),
            c.MIN_AGE: pa.nulls(len(rows), pa.int32()),
        },
    )


def categories(scene: Scene) -> list[str]:
    """Names of the categories, largest first."""
    return [f"game {number}" for number in range(1, scene.config.streamers.categories + 1)]


def _numbered(titles: pa.Array, identities: np.ndarray) -> pa.Array:
    return pa.array(
        [f"{title} #{identity}" for title, identity in zip(titles.to_pylist(), identities, strict=True)], pa.string()
    )
