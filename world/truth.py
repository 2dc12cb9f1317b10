"""What only the world knows, for tests and for measuring how far a model is from the truth."""

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.schema import FLOAT64, INT64, STRING, TIMESTAMP, Column, Table
from world.bonds import Bonds
from world.catalogue import FIRST_CONTENT_ID
from world.config import AttackKind
from world.log import as_table, timestamps, words
from world.plays import Raid
from world.population import FIRST_STREAMER_ID, FIRST_USER_ID, Floats
from world.visits import Scene

_OWNER = "python -m world generate"
_FACTORS = Column(c.FACTORS, pa.list_(FLOAT64), "unit vector in the taste space")

TRUE_USER = Table(
    "true_user_v1",
    "One user's latent traits.",
    (
        Column(c.USER_ID, INT64, "the user"),
        Column(c.ACTIVITY, FLOAT64, "expected visits a day"),
        Column(c.LOYALTY, FLOAT64, "share of slate places held by ties"),
        Column(c.CURIOSITY, FLOAT64, "share of the other places never watched before"),
        Column(c.LIVE_SHARE, FLOAT64, "share of visits that look for live broadcasts"),
        _FACTORS,
    ),
    (c.USER_ID,),
    _OWNER,
    0,
    (),
)
TRUE_STREAMER = Table(
    "true_streamer_v1",
    "One streamer's latent traits.",
    (
        Column(c.STREAMER_ID, INT64, "the streamer"),
        Column(c.SIZE, FLOAT64, "pull on everybody; the largest has 1"),
        Column(c.QUALITY, FLOAT64, "quality of the broadcasts, around 0"),
        _FACTORS,
    ),
    (c.STREAMER_ID,),
    _OWNER,
    0,
    (),
)
TRUE_CONTENT = Table(
    "true_content_v1",
    "One content's latent traits.",
    (
        Column(c.CONTENT_ID, INT64, "the content"),
        Column(c.QUALITY, FLOAT64, "quality, around 0"),
        _FACTORS,
    ),
    (c.CONTENT_ID,),
    _OWNER,
    0,
    (),
)
TRUE_BROADCAST = Table(
    "true_broadcast_v1",
    "One broadcast of the whole schedule, with its end.",
    (
        Column(c.BROADCAST_ID, INT64, "the broadcast"),
        Column(c.STREAMER_ID, INT64, "who broadcasts"),
        Column(c.STARTED_AT, TIMESTAMP, "start"),
        Column(c.ENDED_AT, TIMESTAMP, "end"),
    ),
    (c.BROADCAST_ID,),
    _OWNER,
    0,
    (),
)
TRUE_TIE = Table(
    "true_tie_v1",
    "One streamer that a user comes back to, at the start of dt.",
    (Column(c.USER_ID, INT64, "the user"), Column(c.STREAMER_ID, INT64, "the streamer")),
    (c.USER_ID, c.STREAMER_ID),
    _OWNER,
    0,
)
TRUE_BOT = Table(
    "true_bot_v1",
    "One account of an attack; written only where there is one.",
    (
        Column(c.USER_ID, INT64, "the account"),
        Column(c.ATTACK, STRING, "what the account does"),
        Column(c.CONTENT_ID, INT64, "the VOD that it wants to rise"),
    ),
    (c.USER_ID,),
    _OWNER,
    0,
    (),
)
TRUTH_TABLES = (TRUE_USER, TRUE_STREAMER, TRUE_CONTENT, TRUE_BROADCAST, TRUE_TIE)


def traits(scene: Scene) -> dict[str, pa.Table]:
    """Everything that stands still, by the table's versioned name."""
    users, streamers = scene.population.users, scene.population.streamers
    contents, schedule = scene.contents, scene.schedule
    columns: dict[Table, dict[str, object]] = {
        TRUE_USER: {
            c.USER_ID: users.ids,
            c.ACTIVITY: users.activity,
            c.LOYALTY: users.loyalty,
            c.CURIOSITY: users.curiosity,
            c.LIVE_SHARE: users.live_share,
            c.FACTORS: _lists(users.factors),
        },
        TRUE_STREAMER: {
            c.STREAMER_ID: streamers.ids,
            c.SIZE: streamers.size,
            c.QUALITY: streamers.quality,
            c.FACTORS: _lists(streamers.factors),
        },
        TRUE_CONTENT: {
            c.CONTENT_ID: contents.ids,
            c.QUALITY: contents.quality,
            c.FACTORS: _lists(contents.factors),
        },
        TRUE_BROADCAST: {
            c.BROADCAST_ID: schedule.ids,
            c.STREAMER_ID: schedule.streamer + FIRST_STREAMER_ID,
            c.STARTED_AT: timestamps(schedule.started),
            c.ENDED_AT: timestamps(schedule.ended),
        },
    }
    return {table.name: as_table(table, rows) for table, rows in columns.items()}


def ties(bonds: Bonds) -> pa.Table:
    """The ties at the start of a day."""
    user, streamer = np.nonzero(bonds.ties)
    return as_table(TRUE_TIE, {c.USER_ID: user + FIRST_USER_ID, c.STREAMER_ID: streamer + FIRST_STREAMER_ID})


def bots(scene: Scene, raid: Raid, kind: AttackKind) -> pa.Table:
    """The accounts of an attack."""
    rows = len(scene.population.users.activity) + np.arange(len(raid.accounts.activity))
    nothing = np.zeros_like(rows)
    return as_table(
        TRUE_BOT,
        {
            c.USER_ID: rows + FIRST_USER_ID,
            c.ATTACK: words([kind], nothing),
            c.CONTENT_ID: nothing + raid.target + FIRST_CONTENT_ID,
        },
    )


def _lists(factors: Floats) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(factors.ravel()), factors.shape[1]).cast(pa.list_(FLOAT64))
