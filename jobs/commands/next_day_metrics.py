"""`python -m jobs next_day_metrics`: the next day's watches judge the lists of `--date`."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, ItemKind, Segment, Surface
from contracts.settings import Settings
from contracts.tables import (
    CANDIDATE_LIST,
    EARLIER_VIEW,
    POPULAR_ITEM,
    RETRIEVED_CANDIDATE,
    SEGMENT_LIST,
    VIEW_VALUE,
    WATCH_EVENT,
)
from evaluation.metrics import coverage, gini
from evaluation.report import HitRows, score_lists
from jobs.commands.simulation_database import store_metrics
from jobs.tables import Tables
from jobs.transformations import judged_lists as j

K = 20
SEED = 20
_POPULAR_LENGTH = 500
_MODES = {"new": j.RANK_NEW, "all": j.RANK_ALL}
_SPLITS = ("all", "return", "discovery")


@dataclass(frozen=True)
class JudgedSurface:
    """What a surface's lists hold and which watches can make an item of it relevant."""

    surface: Surface
    item: Column
    watched_kinds: tuple[ContentKind, ...]
    item_kinds: tuple[ItemKind, ...]


def judged_surfaces() -> list[JudgedSurface]:
    """The surfaces with lists of their own; columns need a session, so this is no constant."""
    recorded = (ContentKind.VOD, ContentKind.CLIP)
    items = (ItemKind.VOD, ItemKind.CLIP)
    return [
        JudgedSurface(Surface.HOME_CLIPS, f.col(c.CONTENT_ID), recorded, items),
        JudgedSurface(Surface.HOME_LIVE, f.col(c.STREAMER_ID), (ContentKind.LIVE,), (ItemKind.STREAMER,)),
    ]


def next_day_metrics(tables: Tables, settings: Settings, day: date) -> dict[str, Any]:
    """Judge every list of `day` by the next day's valued watches; also written to the simulation database.

    Raises:
        MissingPartitionError: no lists of `day`, or no valued views of the day after.
    """
    judge_day = day + timedelta(days=1)
    next_views = tables.read(VIEW_VALUE, [judge_day]).where(f.col(c.VIEW_DAY) == f.lit(judge_day))
    history = [past for past in tables.warehouse.dates(WATCH_EVENT) if past <= day]
    events = tables.read_existing(WATCH_EVENT, history)
    result: dict[str, Any] = {"date": day.isoformat(), "judged_on": judge_day.isoformat(), "k": K}
    result |= {"modes": list(_MODES), "surfaces": {}}
    for judged in judged_surfaces():
        scored = _judge(tables, judged, day, next_views, events)
        if scored:
            result["surfaces"][str(judged.surface)] = scored
    result["time_zone"] = settings.platform.time_zone
    result["snapshots"] = {key: snapshot.snapshot_id for key, snapshot in sorted(tables.inputs.items())}
    store_metrics(settings.simulation_database_path, result)
    return result


def _judge(
    tables: Tables, judged: JudgedSurface, day: date, next_views: DataFrame, events: DataFrame
) -> dict[str, Any] | None:
    views = next_views.where(f.col(c.CONTENT_KIND).isin(*judged.watched_kinds))
    exposed = _exposed(tables, judged, events)
    known = events.select(c.USER_ID, c.STREAMER_ID)
    relevant = j.relevant_items(views, judged.item, exposed, known).localCheckpoint()
    found = relevant.toArrow()
    if found.num_rows == 0:
        return None
    users = relevant.select(c.USER_ID).distinct()
    lists = _lists(tables, judged, day, users)
    places = j.ranked_places(_union(lists), exposed).localCheckpoint()
    hits = j.hit_places(places, relevant, K).toArrow()
    shown = j.shown_counts(places, K).toArrow()
    catalogue = _catalogue_size(judged, events)
    return {
        **{mode: _score(list(lists), hits, found, mode) for mode in _MODES},
        "lists": {name: _spread(shown, name, catalogue) for name in lists},
        "personal_share": _personal_share(tables, judged, day, users),
    }


def _exposed(tables: Tables, judged: JudgedSurface, events: DataFrame) -> DataFrame:
    met = events.where(f.col(c.CONTENT_KIND).isin(*judged.watched_kinds))
    pairs = met.select(c.USER_ID, judged.item.alias(c.ITEM_ID))
    if judged.surface != Surface.HOME_CLIPS:
        return pairs
    earlier = tables.read_existing(EARLIER_VIEW, tables.warehouse.dates(EARLIER_VIEW))
    return pairs.unionByName(earlier.select(c.USER_ID, f.col(c.CONTENT_ID).alias(c.ITEM_ID)))


def _lists(tables: Tables, judged: JudgedSurface, day: date, users: DataFrame) -> dict[str, DataFrame]:
    """(user_id, item_id, rank) by name, for the users who judge."""
    history = tables.read_existing(VIEW_VALUE, [past for past in tables.warehouse.dates(VIEW_VALUE) if past <= day])
    views = history.where(f.col(c.CONTENT_KIND).isin(*judged.watched_kinds))
    recent = tables.read(POPULAR_ITEM, [day]).where(f.col(c.ITEM_KIND).isin(*judged.item_kinds))
    recent_items = recent.orderBy(f.desc(c.SCORE), c.ITEM_ID).limit(_POPULAR_LENGTH)
    lists = {
        "published": _published(tables, judged, day, users),
        "popular_recent": j.for_everyone(_renumbered(recent_items), users),
        "popular_last_day": j.for_everyone(
            j.popularity(views.where(f.col(c.VIEW_DAY) == f.lit(day)), judged.item, _POPULAR_LENGTH), users
        ),
        "popular_history": j.for_everyone(j.popularity(views, judged.item, _POPULAR_LENGTH), users),
    }
    if tables.warehouse.current(RETRIEVED_CANDIDATE, day) is not None:
        retrieved = tables.read(RETRIEVED_CANDIDATE, [day]).where(f.col(c.ITEM_KIND).isin(*judged.item_kinds))
        order = retrieved.join(users, c.USER_ID, how="inner")
        lists["two_tower"] = order.select(c.USER_ID, c.ITEM_ID, (-f.col(c.SCORE)).alias(c.RANK))
    return lists


def _published(tables: Tables, judged: JudgedSurface, day: date, users: DataFrame) -> DataFrame:
    """What a request of each user would be answered from: their own list, else the list of segment `all`."""
    surface = f.col(c.SURFACE) == judged.surface.value
    own = tables.read(CANDIDATE_LIST, [day]).where(surface)
    everybody = tables.read(SEGMENT_LIST, [day]).where(surface & (f.col(c.SEGMENT) == Segment.ALL.value))
    without = users.join(own.select(c.USER_ID).distinct(), c.USER_ID, how="left_anti")
    served = j.for_everyone(everybody.select(c.ITEM_ID, c.RANK), without)
    return own.join(users, c.USER_ID, how="inner").select(c.USER_ID, c.ITEM_ID, c.RANK).unionByName(served)


def _personal_share(tables: Tables, judged: JudgedSurface, day: date, users: DataFrame) -> float:
    own = tables.read(CANDIDATE_LIST, [day]).where(f.col(c.SURFACE) == judged.surface.value)
    with_list = users.join(own.select(c.USER_ID).distinct(), c.USER_ID, how="left_semi").count()
    return with_list / users.count()


def _renumbered(items: DataFrame) -> DataFrame:
    return items.select(c.ITEM_ID, (-f.col(c.SCORE)).alias(c.RANK))


def _union(lists: dict[str, DataFrame]) -> DataFrame:
    named = [
        frame.select(f.lit(name).alias(j.LIST_NAME), c.USER_ID, c.ITEM_ID, f.col(c.RANK).cast("double").alias(c.RANK))
        for name, frame in lists.items()
    ]
    return reduce(DataFrame.unionByName, named)


def _score(names: Iterable[str], hits: pa.Table, relevant: pa.Table, mode: str) -> dict[str, Any]:
    scored = {}
    for split in _SPLITS:
        of_split = relevant.filter(_in_split(relevant, mode, split))
        rows = hits.filter(_in_split(hits, mode, split))
        by_list = {name: _hit_rows(rows, name, _MODES[mode]) for name in names}
        users = of_split.column(c.USER_ID).to_numpy()
        intervals = score_lists(by_list, users, K, np.random.default_rng(SEED)) if len(users) else {}
        scored[split] = {
            "users": len(np.unique(users)),
            "lists": {
                name: {f"{metric}_at_{K}": dataclasses.asdict(value) for metric, value in metrics.items()}
                for name, metrics in intervals.items()
            },
        }
    return scored


def _in_split(rows: pa.Table, mode: str, split: str) -> pa.ChunkedArray:
    keep = pc.is_valid(rows.column(c.USER_ID))
    if mode == "new":
        keep = pc.and_(keep, pc.invert(rows.column(j.IS_EXPOSED)))
    if split == "return":
        return pc.and_(keep, rows.column(j.IS_RETURN))
    return pc.and_(keep, pc.invert(rows.column(j.IS_RETURN))) if split == "discovery" else keep


def _hit_rows(hits: pa.Table, name: str, rank: str) -> HitRows:
    own = hits.filter(pc.and_(pc.equal(hits.column(j.LIST_NAME), name), pc.is_valid(hits.column(rank))))
    return HitRows(own.column(c.USER_ID).to_numpy(), own.column(rank).to_numpy().astype(np.int64))


def _spread(shown: pa.Table, name: str, catalogue_size: int) -> dict[str, float]:
    counts = shown.filter(pc.equal(shown.column(j.LIST_NAME), name)).column(j.PLACES).to_numpy()
    return {"coverage": coverage(len(counts), catalogue_size), "gini": gini(counts)}


def _catalogue_size(judged: JudgedSurface, events: DataFrame) -> int:
    met = events.where(f.col(c.CONTENT_KIND).isin(*judged.watched_kinds))
    return met.select(judged.item).distinct().count()
