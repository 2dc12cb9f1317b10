"""Ids in the watch log that the catalogue does not know."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import Check, ContentKind
from contracts.schema import Table
from contracts.settings import ChecksSettings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import CONTENT, STREAMER, WATCH_EVENT
from jobs.checks.results import Finding
from jobs.checks.rows import batches


def unknown_ids(warehouse: Warehouse, snapshot: Snapshot, settings: ChecksSettings) -> Iterator[Finding]:
    """Shares of the log's rows whose VOD or clip, or whose streamer, is unknown; a log need not have a catalogue.

    Args:
        snapshot: Of the watch log; its live rows name broadcasts, which are not in the catalogue of contents.
    """
    for table, column in ((CONTENT, c.CONTENT_ID), (STREAMER, c.STREAMER_ID)):
        known = _known(warehouse, table, column, date.fromisoformat(snapshot.dt))
        if known is not None:
            yield Finding(Check.UNKNOWN_IDS, _share(snapshot, column, known), column, upper=settings.max_unknown_share)


def _known(warehouse: Warehouse, table: Table, column: str, day: date) -> pa.ChunkedArray | None:
    snapshot = warehouse.latest(table, day)
    return None if snapshot is None else warehouse.read_snapshot(table, snapshot, [column]).column(column)


def _share(snapshot: Snapshot, column: str, known: pa.ChunkedArray) -> float:
    unknown = rows = 0
    for batch in batches(WATCH_EVENT, snapshot, [column, c.CONTENT_KIND]):
        is_listed = pc.not_equal(batch.column(c.CONTENT_KIND), ContentKind.LIVE.value)
        ids = batch.column(column).filter(is_listed) if column == c.CONTENT_ID else batch.column(column)
        rows += len(ids)
        unknown += len(ids) - (pc.sum(pc.is_in(ids, value_set=known)).as_py() or 0)
    return unknown / max(rows, 1)
