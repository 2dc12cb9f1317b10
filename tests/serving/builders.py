"""Small warehouses for the serving tests."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts import columns as c
from contracts.names import Surface
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    CONTENT,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    STREAMER,
    USER_FEATURE,
)
from serving.stores.protocol import Store
from serving.stores.user_reads import ReadPlan, UserRow

DAY = date(2026, 1, 30)
NOW = datetime(2026, 1, 31, 6, tzinfo=UTC)
Listed = tuple[int, str, str, int, int, str]
"""user, surface, kind, item, streamer, source; rank and score follow from the order."""


def write(warehouse: Warehouse, table: Table, day: date, rows: list[dict[str, Any]]) -> None:
    names = [column.name for column in table.columns]
    filled = [{name: row.get(name) for name in names} for row in rows]
    warehouse.write(table, day, pa.Table.from_pylist(filled, table.schema), [], NOW)


def candidate_rows(listed: Iterable[Listed]) -> list[dict[str, Any]]:
    return [
        {
            c.USER_ID: user,
            c.SURFACE: surface,
            c.RANK: rank,
            c.ITEM_KIND: kind,
            c.ITEM_ID: item,
            c.STREAMER_ID: streamer,
            c.SOURCE: source,
            c.SCORE: 1.0 / rank,
            c.MODEL_VERSION: "7",
            c.AVAILABLE_AT: NOW,
        }
        for rank, (user, surface, kind, item, streamer, source) in enumerate(listed, start=1)
    ]


def segment_rows(segment: str, listed: Iterable[Listed]) -> list[dict[str, Any]]:
    return [{**row, c.SEGMENT: segment} for row in candidate_rows(listed)]


def user_rows(segments: dict[int, str]) -> list[dict[str, Any]]:
    counts = (c.VIEWS, c.VALUED_VIEWS, c.ACTIVE_DAYS, c.DISTINCT_STREAMERS)
    means = (c.WATCHED_SECONDS, c.LIVE_SHARE, c.MEAN_VALUE)
    lists = (c.RECENT_CONTENT_IDS, c.RECENT_STREAMER_IDS, c.PREFERRED_STREAMER_IDS)
    rest = {**dict.fromkeys(counts, 0), **dict.fromkeys(means, 0.0), c.AVAILABLE_AT: NOW}
    return [
        {c.USER_ID: user, c.SEGMENT: segment, **rest, **{name: [] for name in lists}}
        for user, segment in segments.items()
    ]


def clips(user: int, count: int, first: int = 100, source: str = "two_tower") -> list[Listed]:
    """`count` clips of as many streamers on home_clips."""
    return [(user, "home_clips", "clip", first + index, 10 + index, source) for index in range(count)]


def small_platform(root: Path) -> Warehouse:
    """User 1 (heavy) and 2 (light) have lists; segments light and all have some; streamers 10 to 15 can be live."""
    warehouse = Warehouse(root / "warehouse")
    live = [(1, "home_live", "streamer", 10 + index, 10 + index, "preferred") for index in range(6)]
    listed = [
        *clips(1, 4),
        *clips(1, 3, 200, "popular"),
        *clips(2, 5),
        *live,
        (1, "favorites_clips", "vod", 300, 10, "preferred"),
    ]
    write(warehouse, CANDIDATE_LIST, DAY, candidate_rows(listed))
    light = segment_rows("light", clips(0, 4, 400, "popular"))
    everybody = segment_rows("all", clips(0, 6, 500, "popular"))
    write(warehouse, SEGMENT_LIST, DAY, [*light, *everybody])
    write(warehouse, REPRESENTATIVE_VOD, DAY, vod_rows({10: [101, 103], 300: [301]}))
    write(warehouse, RELATED_STREAMER, DAY, related_rows({10: [12, 11]}))
    write(warehouse, NEXT_CONTENT, DAY, next_rows({101: [(200, "co_watched"), (102, "co_watched"), (103, "fresh")]}))
    write(warehouse, USER_FEATURE, DAY, user_rows({1: "heavy", 2: "light", 3: "light"}))
    write(warehouse, CONTENT, DAY, content_rows({101: "public", 102: "removed"}))
    streamers = [{c.STREAMER_ID: 10 + index, c.NAME: f"streamer-{index}"} for index in range(6)]
    write(warehouse, STREAMER, DAY, streamers)
    return warehouse


def vod_rows(channels: dict[int, list[int]]) -> list[dict[str, Any]]:
    """Clips by streamer, best first."""
    return [
        vod_row(streamer, rank, content)
        for streamer, contents in channels.items()
        for rank, content in enumerate(contents, start=1)
    ]


def vod_row(streamer: int, rank: int, content: int, **more: object) -> dict[str, Any]:
    """A clip of a channel."""
    row = {c.STREAMER_ID: streamer, c.RANK: rank, c.CONTENT_ID: content, c.CONTENT_KIND: "clip", c.SCORE: 1.0 / rank}
    return {**row, c.RECENCY: 1.0, c.VIEWERS: 12, c.VALUE_LOWER_BOUND: 0.5, c.AVAILABLE_AT: NOW, **more}


def related_rows(streamers: dict[int, list[int]]) -> list[dict[str, Any]]:
    """Related streamers by streamer, best first."""
    return [
        {
            c.STREAMER_ID: streamer,
            c.RELATED_STREAMER_ID: other,
            c.RANK: rank,
            c.SCORE: 1.0 / rank,
            c.SUPPORT: 3,
            c.AVAILABLE_AT: NOW,
        }
        for streamer, related in streamers.items()
        for rank, other in enumerate(related, start=1)
    ]


def next_rows(targets: dict[int, list[tuple[int, str]]]) -> list[dict[str, Any]]:
    """Clips of streamer 14 to offer after a content, with their source, best first."""
    return [
        {
            c.TARGET_ID: target,
            c.CONTENT_ID: content,
            c.CONTENT_KIND: "clip",
            c.STREAMER_ID: 14,
            c.RANK: rank,
            c.SOURCE: source,
            c.SCORE: 1.0 / rank,
            c.SUPPORT: 3.0,
            c.AVAILABLE_AT: NOW,
        }
        for target, offered in targets.items()
        for rank, (content, source) in enumerate(offered, start=1)
    ]


def view(user: int, content: int, at: datetime, **values: object) -> dict[str, Any]:
    """A valued clip view of one second at a moment, unless `values` say otherwise."""
    return {
        c.USER_ID: user,
        c.CONTENT_ID: content,
        c.CONTENT_KIND: "clip",
        c.STREAMER_ID: 10,
        c.VIEW_DAY: at.date(),
        c.FIRST_EVENT_TIME: at,
        c.LAST_EVENT_TIME: at,
        c.WATCHED_SECONDS: 1.0,
        c.USER_RELATIVE: 0.0,
        c.CONTENT_RELATIVE: 0.0,
        c.VALUE: 1.0,
        c.IS_VALUED: True,
        c.WEIGHT: 1.0,
        c.AVAILABLE_AT: NOW,
        **values,
    }


def content_rows(visibilities: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            c.CONTENT_ID: content,
            c.CONTENT_KIND: "clip",
            c.STREAMER_ID: 10,
            c.TITLE: f"title {content}",
            c.VISIBILITY: visibility,
        }
        for content, visibility in visibilities.items()
    ]


def row_of(store: Store, user: int, generation: str | None = None, surface: str = "home_clips") -> UserRow:
    """What a request reads of a user; without a generation, whatever is the user's own."""
    return store.read(ReadPlan(generation or "g", surface, user))


def list_of(store: Store, generation: str, surface: Surface, target: int) -> bytes | None:
    """The list that goes with a content or a streamer."""
    (packed,) = store.read(ReadPlan(generation, surface, None, ((surface, target),))).targets
    return packed
