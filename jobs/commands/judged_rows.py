"""What judges a day's lists and what is judged, read from the snapshots without Spark: the rows of some users."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from contracts import columns as c
from contracts.names import ContentKind, ItemKind, Surface
from contracts.schema import Table
from contracts.snapshots import Snapshot
from contracts.tables import CANDIDATE_LIST, EARLIER_VIEW, RETRIEVED_CANDIDATE, WATCH_EVENT
from jobs.tables import Tables
from jobs.transformations.judged_lists import Pairs


@dataclass(frozen=True)
class JudgedSurface:
    """What a surface's lists hold and which watches can make an item of it relevant."""

    surface: Surface
    item: str
    watched_kinds: tuple[ContentKind, ...]
    item_kinds: tuple[ItemKind, ...]


JUDGED_SURFACES: Final = (
    JudgedSurface(Surface.HOME_CLIPS, c.CONTENT_ID, (ContentKind.VOD, ContentKind.CLIP), (ItemKind.VOD, ItemKind.CLIP)),
    JudgedSurface(Surface.HOME_LIVE, c.STREAMER_ID, (ContentKind.LIVE,), (ItemKind.STREAMER,)),
)
"""The surfaces with lists of their own."""


@dataclass(frozen=True)
class DaySnapshots:
    """The snapshots that lists of a day are judged by, read without Spark and noted as inputs."""

    tables: Tables
    day: date

    def require(self, table: Table, day: date) -> Snapshot:
        return self.tables.warehouse.require(table, day)

    def history(self, table: Table) -> list[Snapshot]:
        found = (self.tables.warehouse.current(table, past) for past in self.tables.warehouse.dates(table))
        return [snapshot for snapshot in found if snapshot is not None and snapshot.dt <= self.day.isoformat()]

    def read(
        self, snapshots: Iterable[Snapshot], table: Table, columns: Sequence[str], rows: pc.Expression
    ) -> pa.Table:
        """Those columns of those rows; what does not pass is not held."""
        found = list(snapshots)
        self.tables.inputs.update({snapshot.reference[0]: snapshot for snapshot in found})
        files = [part for snapshot in found for part in sorted(snapshot.path.glob("*.parquet"))]
        return ds.dataset(files, table.schema, format="parquet").to_table(columns=list(columns), filter=rows)

    def read_day(self, table: Table, columns: Sequence[str], rows: pc.Expression) -> pa.Table:
        return self.read([self.require(table, self.day)], table, columns, rows)


def met_before(snapshots: DaySnapshots, judged: JudgedSurface, of_users: pc.Expression) -> tuple[Pairs, Pairs]:
    """The items and the streamers that these users have met before."""
    columns = (c.USER_ID, c.CONTENT_ID, c.STREAMER_ID, c.CONTENT_KIND)
    events = snapshots.read(snapshots.history(WATCH_EVENT), WATCH_EVENT, columns, of_users)
    met = events.filter(pc.is_in(events.column(c.CONTENT_KIND), pa.array(judged.watched_kinds)))
    pairs = [met.select([c.USER_ID, judged.item]).rename_columns([c.USER_ID, c.ITEM_ID])]
    if judged.surface == Surface.HOME_CLIPS:
        days = snapshots.tables.warehouse.dates(EARLIER_VIEW)
        untimed = [snapshots.require(EARLIER_VIEW, past) for past in days]
        earlier = snapshots.read(untimed, EARLIER_VIEW, (c.USER_ID, c.CONTENT_ID), of_users)
        pairs.append(earlier.rename_columns([c.USER_ID, c.ITEM_ID]))
    exposed = pa.concat_tables(pairs)
    return (
        Pairs.of(exposed.column(c.USER_ID), exposed.column(c.ITEM_ID)),
        Pairs.of(events.column(c.USER_ID), events.column(c.STREAMER_ID)),
    )


def own_lists(snapshots: DaySnapshots, judged: JudgedSurface, of_users: pc.Expression) -> pa.Table:
    """(user_id, item_id, rank) of the lists that were published for these users."""
    on_surface = pc.field(c.SURFACE) == judged.surface.value
    own = snapshots.read_day(CANDIDATE_LIST, (c.USER_ID, c.ITEM_ID, c.RANK), of_users & on_surface)
    return _ranked(own, own.column(c.RANK))


def retrieved_lists(snapshots: DaySnapshots, judged: JudgedSurface, of_users: pc.Expression) -> pa.Table | None:
    """As `own_lists`, of the model alone; None where the day has no retrieval."""
    if snapshots.tables.warehouse.current(RETRIEVED_CANDIDATE, snapshots.day) is None:
        return None
    kinds = pc.field(c.ITEM_KIND).isin(judged.item_kinds)
    rows = snapshots.read_day(RETRIEVED_CANDIDATE, (c.USER_ID, c.ITEM_ID, c.SCORE), of_users & kinds)
    return _ranked(rows, pc.negate(rows.column(c.SCORE)))


def _ranked(rows: pa.Table, rank: pa.ChunkedArray) -> pa.Table:
    ids = {name: rows.column(name) for name in (c.USER_ID, c.ITEM_ID)}
    return pa.table({**ids, c.RANK: rank.cast(pa.float64())})
