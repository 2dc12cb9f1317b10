"""From plays to rows of the watch log and of user actions, as a platform writes them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.names import Action, ContentKind, ItemKind, Surface
from contracts.schema import Table
from contracts.tables import USER_ACTION, WATCH_EVENT
from world.catalogue import FIRST_CONTENT_ID
from world.choice import KINDS, LIVE, logistic
from world.config import BondConfig, LogConfig
from world.plays import Plays
from world.population import FIRST_STREAMER_ID, FIRST_USER_ID, Bools, Floats, Ints
from world.schedule import FIRST_BROADCAST_ID

_MICROSECONDS = 1e6
_SURFACES = {
    ContentKind.LIVE: Surface.HOME_LIVE,
    ContentKind.VOD: Surface.HOME_CLIPS,
    ContentKind.CLIP: Surface.HOME_CLIPS,
}


def watch_rows(log: LogConfig, plays: Plays, rng: np.random.Generator) -> tuple[pa.Table, Bools]:
    """Rows of the watch log, by time, and which of them arrive a day late."""
    kept = plays.take(plays.is_click | (rng.random(len(plays.user)) < log.exposure_share))
    kept = _cut(log, kept, rng)
    kept = kept.take(np.lexsort((kept.item, kept.user, kept.started)))
    is_late = rng.random(len(kept.user)) < log.late_share
    surfaces = [_SURFACES[kind] for kind in KINDS]
    rows = {
        c.USER_ID: kept.user + FIRST_USER_ID,
        c.CONTENT_ID: item_ids(kept.kind, kept.item),
        c.CONTENT_KIND: words(list(KINDS), kept.kind),
        c.STREAMER_ID: kept.streamer + FIRST_STREAMER_ID,
        c.EVENT_TIME: timestamps(kept.started),
        c.WATCHED_SECONDS: np.round(kept.seconds, 3),
        c.IS_CLICK: kept.is_click,
        c.SURFACE: words(surfaces, kept.kind),
    }
    return as_table(WATCH_EVENT, rows), is_late


def action_rows(bonds: BondConfig, plays: Plays, new_ties: Ints, rng: np.random.Generator) -> pa.Table:
    """Follows of new ties, likes of what satisfied and hides of what did not, by time."""
    follows = plays.take(new_ties[rng.random(len(new_ties)) < bonds.follow_share])
    draws, good = rng.random(len(plays.user)), logistic(plays.satisfied)
    likes = plays.take(plays.is_click & (draws < bonds.like_share * good))
    hides = plays.take(plays.is_click & (draws > 1 - bonds.hide_share * (1 - good)))
    parts = [
        _actions(Action.FOLLOW, words([ItemKind.STREAMER], np.zeros_like(follows.user)), follows),
        *(
            _actions(act, words(list(KINDS), part.kind), part)
            for act, part in ((Action.LIKE, likes), (Action.HIDE, hides))
        ),
    ]
    return pa.concat_tables(parts).sort_by([(c.EVENT_TIME, "ascending"), (c.USER_ID, "ascending")])


def _actions(action: Action, kinds: pa.Array, plays: Plays) -> pa.Table:
    """Acts at the end of each play."""
    target = plays.streamer + FIRST_STREAMER_ID if action is Action.FOLLOW else item_ids(plays.kind, plays.item)
    rows = {
        c.USER_ID: plays.user + FIRST_USER_ID,
        c.ACTION: words([action], np.zeros_like(plays.user)),
        c.TARGET_KIND: kinds,
        c.TARGET_ID: target,
        c.EVENT_TIME: timestamps(plays.started + 0.9 * plays.seconds),
    }
    return as_table(USER_ACTION, rows)


def _cut(log: LogConfig, plays: Plays, rng: np.random.Generator) -> Plays:
    """The same watches, some of them in several rows that follow each other."""
    count = len(plays.user)
    is_cut = (rng.random(count) < log.cut_share) & (plays.seconds > 2 * log.max_pieces)
    pieces = np.where(is_cut, rng.integers(2, log.max_pieces + 1, count), 1)
    rows = np.repeat(np.arange(count), pieces)
    first = np.cumsum(pieces) - pieces
    piece = np.arange(len(rows)) - first[rows]
    share = 1.0 / pieces[rows]
    cut = plays.take(rows)
    seconds = cut.seconds * share
    return Plays(
        cut.user, cut.kind, cut.item, cut.streamer, cut.started + piece * seconds, seconds, cut.satisfied, cut.is_click
    )


def item_ids(kind: Ints, item: Ints) -> Ints:
    """Ids as the log spells them, from rows of the schedule or of the catalogue."""
    return item + np.where(kind == LIVE, FIRST_BROADCAST_ID, FIRST_CONTENT_ID)


def words(vocabulary: Sequence[str], codes: Ints) -> pa.Array:
    """Codes as strings."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(map(str, vocabulary))).cast(pa.string())


def timestamps(seconds: Floats) -> pa.Array:
    """Epoch seconds as UTC timestamps; what is not finite is null."""
    known = np.isfinite(seconds)
    whole = np.round(np.where(known, seconds, 0.0) * _MICROSECONDS).astype(np.int64)
    return pa.array(whole, pa.timestamp("us", tz="UTC"), mask=~known)


def as_table(table: Table, rows: dict[str, object]) -> pa.Table:
    """Columns in a table's order and types; those it allows to be unknown may be left out, and are null."""
    count = len(next(iter(rows.values())))  # type: ignore[arg-type]
    columns = [
        pa.array(rows[column.name]).cast(column.type) if column.name in rows else pa.nulls(count, column.type)
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)
