"""Slates as bodies."""

from datetime import datetime
from typing import get_args

from contracts.names import ItemKind, Source, Surface
from contracts.payload import KINDS, SOURCES
from serving.explain import why
from serving.http.bodies import Degradation, Item, Kind, Recommendations
from serving.http.cursor import next_cursor
from serving.query import LEVELS, Level, Query
from serving.slate import EXPLORATION_KINDS, Slate

_KINDS: tuple[Kind, ...] = get_args(Kind)
_SOURCES, _LEVELS = tuple(map(str, SOURCES)), tuple(map(str, LEVELS))
_STREAMER, _FRESH = KINDS.index(ItemKind.STREAMER), SOURCES.index(Source.FRESH)
_WHOLE = {Level.PERSONAL, Level.TARGET}
_PAGED = frozenset(Surface) - {Surface.CONTINUE_WATCHING}


def to_body(slate: Slate) -> Recommendations:
    """What a caller gets."""
    query, ranking = slate.query, slate.outcome.ranking
    request, generation = query.request, query.generation
    return Recommendations(
        request.request_id,
        request.surface,
        None if query.user_id is None else str(query.user_id),
        query.segment,
        generation.name,
        generation.model_version,
        ranking.policy_id,
        ranking.posterior_epoch,
        request.served_at,
        _items(slate, _age_seconds(generation.published_at, request.at)),
        _degradation(slate),
        _cursor(slate),
    )


def _items(slate: Slate, age: float | None) -> list[Item]:
    frame = slate.outcome.frame
    candidates, version = frame.candidates, slate.query.generation.model_version
    broadcasts = slate.query.state.live.broadcast_ids
    columns = zip(
        candidates.kinds.tolist(),
        candidates.item_ids.tolist(),
        candidates.streamer_ids.tolist(),
        slate.titles,
        slate.streamers,
        candidates.sources.tolist(),
        candidates.scores.tolist(),
        frame.levels.tolist(),
        frame.live.tolist(),
        strict=True,
    )
    return [
        Item(
            rank,
            _KINDS[kind],
            str(item),
            str(streamer),
            title,
            name,
            _SOURCES[source],
            EXPLORATION_KINDS[source],
            score,
            _LEVELS[level],
            version,
            None if source == _FRESH else age,
            why(source, kind, name),
            str(broadcasts[live]) if live >= 0 and kind == _STREAMER else None,
        )
        for rank, (kind, item, streamer, title, name, source, score, level, live) in enumerate(columns, start=1)
    ]


def _degradation(slate: Slate) -> Degradation | None:
    """Null where nothing is less than it should be; somebody unknown cannot expect more than everybody's list."""
    query = slate.query
    nearest = {_LEVELS[level] for level in set(slate.outcome.frame.levels.tolist())}
    is_sound = not (query.problem or query.user.problems or query.state.problems)
    is_whole = is_sound and bool(nearest) and nearest <= _WHOLE
    if is_whole:
        return None
    return Degradation(slate.level, slate.notes, _unfiltered(query))


def _unfiltered(query: Query) -> list[str]:
    return ["seen", "hidden"] if query.problem and query.request.user_id is not None else []


def _cursor(slate: Slate) -> str | None:
    """For the next page; a page that is not full is the last."""
    query = slate.query
    if len(slate) < query.request.limit or query.request.surface not in _PAGED:
        return None
    return next_cursor(query.request, query.generation.name, slate.outcome.frame.candidates.item_ids)


def _age_seconds(published_at: datetime | None, at: datetime) -> float | None:
    """Never negative: a clock may step back."""
    return None if published_at is None else max(0.0, round((at - published_at).total_seconds(), 1))
