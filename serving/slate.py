"""The answer to a request."""

import msgspec
import numpy as np

from contracts.names import ItemKind, Source
from contracts.payload import KINDS, SOURCES
from serving.explain import why
from serving.frame import Frame
from serving.fresh.index import FreshIndex
from serving.pipeline import Outcome, best_level
from serving.query import LEVELS, Level, Query


class SlateItem(msgspec.Struct, frozen=True):
    """One position.

    Args:
        live_broadcast_id: What the streamer broadcasts now, where the item is a streamer.
    """

    rank: int
    kind: str
    item_id: int
    streamer_id: int
    title: str | None
    streamer: str | None
    source: str
    exploration_kind: str | None
    score: float
    level: str
    why: str
    live_broadcast_id: int | None = None


class Slate(msgspec.Struct, frozen=True):
    """What a request got, and why it looks as it does; columns, of which readers take what they need."""

    query: Query
    outcome: Outcome
    titles: list[str | None]
    streamers: list[str | None]

    def __len__(self) -> int:
        return len(self.outcome.frame)

    @property
    def level(self) -> Level:
        """The best list that gave items."""
        return best_level(self.outcome.frame)

    @property
    def notes(self) -> list[str]:
        """Every step down from the user's own list and everything that did not work, in words."""
        return self.outcome.trace.notes

    @property
    def items(self) -> list[SlateItem]:
        """The positions, top first."""
        frame = self.outcome.frame
        candidates = frame.candidates
        columns = zip(
            candidates.item_ids.tolist(),
            candidates.kinds.tolist(),
            candidates.streamer_ids.tolist(),
            candidates.sources.tolist(),
            candidates.scores.tolist(),
            frame.levels.tolist(),
            frame.live.tolist(),
            self.titles,
            self.streamers,
            strict=True,
        )
        broadcasts = self.query.state.live.broadcast_ids
        items = []
        for rank, (item, kind, streamer, source, score, level, live, title, name) in enumerate(columns, start=1):
            items.append(
                SlateItem(
                    rank,
                    _KINDS[kind],
                    item,
                    streamer,
                    title,
                    name,
                    _SOURCES[source],
                    EXPLORATION_KINDS[source],
                    score,
                    _LEVELS[level],
                    why(source, kind, name),
                    int(broadcasts[live]) if live >= 0 and KINDS[kind] is ItemKind.STREAMER else None,
                )
            )
        return items


_KINDS, _SOURCES, _LEVELS = tuple(map(str, KINDS)), tuple(map(str, SOURCES)), tuple(map(str, LEVELS))


def exploration_kind(source: Source) -> str | None:
    """The kind of exploration that a source is, if it is one."""
    prefix, _, kind = source.partition("exploration/")
    return kind if kind and not prefix else None


EXPLORATION_KINDS = tuple(map(exploration_kind, SOURCES))


def slate_of(query: Query, outcome: Outcome) -> Slate:
    """The slate of an outcome, with the names that people read."""
    frame, state = outcome.frame, query.state
    titles = state.catalogue.titles(frame.rows)
    if len(state.fresh):
        _add_fresh_titles(titles, frame, state.fresh)
    for row, live in enumerate(frame.live.tolist()):
        if live >= 0:
            titles[row] = state.live.titles[live]
    return Slate(query, outcome, titles, state.catalogue.names(frame.candidates.streamer_ids))


def _add_fresh_titles(titles: list[str | None], frame: Frame, fresh: FreshIndex) -> None:
    """Of contents that the catalogue does not know yet."""
    unknown = np.flatnonzero(frame.rows < 0)
    rows = fresh.rows(frame.candidates.item_ids[unknown])
    for place, row in zip(unknown.tolist(), rows.tolist(), strict=True):
        if row >= 0:
            titles[place] = fresh.titles[row]
