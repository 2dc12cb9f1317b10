"""`python -m jobs next_day_metrics`: the next day's watches judge the lists of `--date`.

Spark counts over everybody's history. The rows of the users who judge are read from the snapshots with pyarrow, a
bounded number of users at a time: for each of their many small lists Spark would plan queries for longer than they run.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Segment
from contracts.settings import Settings
from contracts.tables import (
    POPULAR_ITEM,
    SEGMENT_LIST,
    VIEW_VALUE,
    WATCH_EVENT,
)
from evaluation.metrics import coverage, gini
from evaluation.report import HitRows, score_lists
from jobs.commands.judged_rows import (
    JUDGED_SURFACES,
    DaySnapshots,
    JudgedSurface,
    met_before,
    own_lists,
    retrieved_lists,
)
from jobs.commands.simulation_database import store_metrics
from jobs.tables import Tables
from jobs.transformations import judged_lists as j

K: Final = 20
SEED: Final = 20
_POPULAR_LENGTH: Final = 500
_USERS_AT_ONCE: Final = 10_000
"""Each with one list at a time of up to 500 places: about 1.5 GB, however many users judge. Every such group reads the
files again, with its users as the filter."""
_MODES: Final = {"new": j.RANK_NEW, "all": j.RANK_ALL}
_SPLITS: Final = ("all", "return", "discovery")
_COUNT: Final = "count"
_PUBLISHED: Final = "published"

Ints = npt.NDArray[np.int64]


def next_day_metrics(tables: Tables, settings: Settings, day: date) -> dict[str, Any]:
    """Judge every list of `day` by the next day's valued watches; also written to the simulation database.

    Raises:
        MissingPartitionError: no lists of `day`, or no valued views of the day after.
    """
    judge_day = day + timedelta(days=1)
    snapshots = DaySnapshots(tables, day)
    judging = snapshots.read(
        [snapshots.require(VIEW_VALUE, judge_day)],
        VIEW_VALUE,
        (c.USER_ID, c.CONTENT_ID, c.STREAMER_ID, c.CONTENT_KIND),
        (pc.field(c.VIEW_DAY) == judge_day) & pc.field(c.IS_VALUED),
    )
    result: dict[str, Any] = {"date": day.isoformat(), "judged_on": judge_day.isoformat(), "k": K}
    result |= {"modes": list(_MODES), "surfaces": {}}
    general = _General(_popularity(tables, day), _catalogue_sizes(tables, day))
    for judged in JUDGED_SURFACES:
        watched = judging.filter(pc.is_in(judging.column(c.CONTENT_KIND), pa.array(judged.watched_kinds)))
        if watched.num_rows:
            result["surfaces"][str(judged.surface)] = _judge(snapshots, judged, watched, general)
    result["time_zone"] = settings.platform.time_zone
    result["snapshots"] = {key: snapshot.snapshot_id for key, snapshot in sorted(tables.inputs.items())}
    store_metrics(settings.simulation_database_path, result)
    return result


@dataclass(frozen=True)
class _General:
    """What all users' views and watches say: users per item, and items per surface."""

    popularity: pa.Table
    catalogue_sizes: dict[str, int]

    def best(self, judged: JudgedSurface, score: str) -> Ints:
        own = self.popularity.filter(pc.equal(self.popularity.column(c.SURFACE), judged.surface.value))
        return j.best_items(own, score, _POPULAR_LENGTH)


@dataclass
class _Judged:
    """What the users judged so far have hit and been shown."""

    relevant: list[pa.Table] = field(default_factory=list)
    hits: list[pa.Table] = field(default_factory=list)
    shown: dict[str, list[Ints]] = field(default_factory=dict)
    users_with_list: int = 0


def _judge(snapshots: DaySnapshots, judged: JudgedSurface, watched: pa.Table, general: _General) -> dict[str, Any]:
    everyone = np.unique(watched.column(c.USER_ID).to_numpy())
    found = _Judged()
    shared = _shared_lists(snapshots, judged, general)
    for start in range(0, len(everyone), _USERS_AT_ONCE):
        _judge_some(snapshots, judged, watched, shared, everyone[start : start + _USERS_AT_ONCE], found)
    relevant, hits = pa.concat_tables(found.relevant), pa.concat_tables(found.hits)
    catalogue = general.catalogue_sizes.get(judged.surface.value, 0)
    return {
        **{mode: _score(list(found.shown), hits, relevant, mode) for mode in _MODES},
        "lists": {name: _spread(np.concatenate(items), catalogue) for name, items in found.shown.items()},
        "personal_share": found.users_with_list / len(everyone),
    }


def _judge_some(
    snapshots: DaySnapshots,
    judged: JudgedSurface,
    watched: pa.Table,
    shared: dict[str, Ints],
    users: Ints,
    found: _Judged,
) -> None:
    of_users = pc.field(c.USER_ID).isin(pa.array(users))
    exposed, known = met_before(snapshots, judged, of_users)
    own_watches = watched.filter(pc.is_in(watched.column(c.USER_ID), pa.array(users)))
    items = own_watches.column(judged.item)
    own_watches = own_watches.select([c.USER_ID, c.STREAMER_ID]).append_column(c.ITEM_ID, items)
    relevant = j.relevant_items(own_watches, exposed, known)
    found.relevant.append(relevant)
    for name, ranked in _lists(snapshots, judged, shared, users, found):
        places = j.ranked_places(ranked, exposed)
        hits = j.hit_places(places, relevant, K)
        found.hits.append(hits.append_column(j.LIST_NAME, pa.repeat(name, hits.num_rows)))
        found.shown.setdefault(name, []).append(j.shown_items(places, K))


def _shared_lists(snapshots: DaySnapshots, judged: JudgedSurface, general: _General) -> dict[str, Ints]:
    """The lists that are the same for all users, best first; `published` is for those without a list of their own."""
    kinds = pc.field(c.ITEM_KIND).isin(judged.item_kinds)
    recent = snapshots.read_day(POPULAR_ITEM, (c.ITEM_ID, c.SCORE), kinds)
    is_served = (pc.field(c.SURFACE) == judged.surface.value) & (pc.field(c.SEGMENT) == Segment.ALL.value)
    served = snapshots.read_day(SEGMENT_LIST, (c.ITEM_ID, c.RANK), is_served).sort_by(c.RANK)
    return {
        _PUBLISHED: served.column(c.ITEM_ID).to_numpy(),
        "popular_recent": j.best_items(recent, c.SCORE, _POPULAR_LENGTH),
        "popular_last_day": general.best(judged, j.USERS_OF_LAST_DAY),
        "popular_history": general.best(judged, j.USERS),
    }


def _lists(
    snapshots: DaySnapshots, judged: JudgedSurface, shared: dict[str, Ints], users: Ints, found: _Judged
) -> Iterator[tuple[str, pa.Table]]:
    """(user_id, item_id, rank) by name, for these users; one at a time, as they are large."""
    of_users = pc.field(c.USER_ID).isin(pa.array(users))
    own = own_lists(snapshots, judged, of_users)
    without = np.setdiff1d(users, own.column(c.USER_ID).to_numpy())
    found.users_with_list += len(users) - len(without)
    yield _PUBLISHED, pa.concat_tables([own, j.for_everyone(shared[_PUBLISHED], without)])
    for name, items in shared.items():
        if name != _PUBLISHED:
            yield name, j.for_everyone(items, users)
    retrieved = retrieved_lists(snapshots, judged, of_users)
    if retrieved is not None:
        yield "two_tower", retrieved


def _popularity(tables: Tables, day: date) -> pa.Table:
    views = tables.read_history(VIEW_VALUE, day)
    return j.popularity(views, _surface(), _item(), f.col(c.VIEW_DAY) == f.lit(day)).toArrow()


def _catalogue_sizes(tables: Tables, day: date) -> dict[str, int]:
    """How many different items the watches up to `day` hold, by surface."""
    events = tables.read_history(WATCH_EVENT, day)
    items = events.select(_surface().alias(c.SURFACE), _item().alias(c.ITEM_ID)).distinct()
    rows = items.groupBy(c.SURFACE).agg(f.count(f.lit(1)).alias(_COUNT)).toArrow()
    return dict(zip(rows.column(c.SURFACE).to_pylist(), rows.column(_COUNT).to_pylist(), strict=True))


def _surface() -> Column:
    """The surface whose lists can hold what was watched."""
    surface = f.lit(None).cast("string")
    for judged in JUDGED_SURFACES:
        is_watched = f.col(c.CONTENT_KIND).isin(*(kind.value for kind in judged.watched_kinds))
        surface = f.when(is_watched, f.lit(judged.surface.value)).otherwise(surface)
    return surface


def _item() -> Column:
    return f.when(f.col(c.CONTENT_KIND) == ContentKind.LIVE.value, f.col(c.STREAMER_ID)).otherwise(f.col(c.CONTENT_ID))


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


def _spread(shown: Ints, catalogue_size: int) -> dict[str, float]:
    _, counts = np.unique(shown, return_counts=True)
    return {"coverage": coverage(len(counts), catalogue_size), "gini": gini(counts)}
