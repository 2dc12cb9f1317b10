"""Requests with all that a stage may look at, made by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.names import ItemKind, Segment, Source, Surface
from contracts.packed_lists import pack
from contracts.packed_user import PackedUser
from contracts.payload import KINDS, SOURCES, CandidateColumns, Ids
from contracts.schema import Table
from contracts.tables import CONTENT, STREAMER
from serving.frame import Frame
from serving.fresh.index import FreshIndex
from serving.mirrors.live_table import LiveTable
from serving.newest import read_newest
from serving.query import Level, Query, Request
from serving.state import Generation, Published, State
from serving.stores.catalogue import InProcessCatalogue
from serving.stores.leases import Lease, LeaseDetails
from serving.stores.user_reads import UserRow
from tests.serving.builders import NOW

LIVE_NOW = 1_000.0
FAR = 2**63 - 1


def ids(*values: int) -> Ids:
    return np.array(values, np.int64)


def columns(items: Sequence[int], streamers: Sequence[int], kind: ItemKind = ItemKind.CLIP) -> CandidateColumns:
    """Candidates of one kind and source, all with the score 0."""
    count = len(items)
    codes = np.full(count, KINDS.index(kind), np.uint8), np.full(count, SOURCES.index(Source.TWO_TOWER), np.uint8)
    return CandidateColumns(ids(*items), codes[0], ids(*streamers), codes[1], np.zeros(count, np.float32))


def contents(*rows: Mapping[str, Any]) -> InProcessCatalogue:
    """A catalogue of clips; what a row does not say is public, of streamer 10 and for everybody."""
    said: dict[str, Any] = {c.CONTENT_KIND: "clip", c.STREAMER_ID: 10, c.VISIBILITY: "public"}
    return InProcessCatalogue(_table(CONTENT, [{**said, **row} for row in rows]), _table(STREAMER, []))


def _table(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in table.schema.names} for row in rows], table.schema)


def on_air(streamer: int, broadcast: int, ends: float = LIVE_NOW + 60, **details: Any) -> dict[int, Lease]:  # noqa: ANN401
    return {streamer: Lease(broadcast, 0.0, ends, LeaseDetails(**details))}


def state(
    catalogue: InProcessCatalogue | None = None,
    leases: Mapping[int, Lease] | None = None,
    removed: Ids | None = None,
    **more: Any,  # noqa: ANN401  the rest of a state
) -> State:
    published = Published("g", {})
    gone = ids() if removed is None else removed
    catalogue = catalogue or contents()
    live, fresh = LiveTable.of(leases or {}), more.pop("fresh", FreshIndex.of([]))
    return State(published, {}, live, LIVE_NOW, gone, fresh, read_newest([]), catalogue, **more)


def query(
    *,
    limit: int = 5,
    surface: Surface = Surface.HOME_CLIPS,
    user: UserRow | None = None,
    known: State | None = None,
    problem: str = "",
    generation: Generation | None = None,
    **request: Any,  # noqa: ANN401  the rest of a request
) -> Query:
    asked = Request("r", 1, surface, limit, NOW, **request)
    generation = generation or Generation("g", "7", NOW, {})
    return Query(asked, generation, user or UserRow(), surface, known or state(), problem)


def knows(*streamers: int, segment: Segment = Segment.LIGHT) -> PackedUser:
    return PackedUser(segment, ids(*streamers))


def listed(items: Sequence[int], streamers: Sequence[int]) -> bytes:
    """A user's packed list."""
    return pack(columns(items, streamers))


def frame_of(candidates: CandidateColumns, about: Query, level: Level = Level.PERSONAL) -> Frame:
    """Candidates as the hydrators leave them: with their rows of the catalogue and of the live table."""
    known = about.state
    frame = Frame.of(candidates, level)
    live = known.live.lookup(candidates.streamer_ids, known.live_now)
    return Frame(candidates, frame.levels, known.catalogue.rows(candidates.item_ids), live)
