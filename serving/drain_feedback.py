"""The feedback stream becomes the day's partition."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from contracts import columns as c
from contracts.clock import day_bounds
from contracts.erasure import erased_users
from contracts.feedback_events import Feedback
from contracts.names import STREAM_FEEDBACK
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import FEEDBACK
from serving.drained import Drained
from serving.stores.event_log import EventLog, LogEntry

Row = dict[str, Any]


@dataclass(frozen=True)
class FeedbackReport:
    """What a drain wrote.

    Args:
        repeated: Events of the day that stood in the stream or the partition already.
        unreadable: Entries of the whole stream that are no feedback.
        stream_begins: As in `serving.drain.DrainReport`.
    """

    day: str
    rows: int
    new_rows: int
    repeated: int
    unreadable: int
    stream_begins: str | None


def drain_feedback(warehouse: Warehouse, log: EventLog, settings: Settings, day: date, now: datetime) -> FeedbackReport:
    """Write the day's partition whole: what it has, and what arrived on that day.

    The stream is only read, and the partition flips at once, so it can be run as often as one likes. Of repeated events
    the first holds; of erased users nothing is written.
    """
    snapshot, erased = warehouse.current(FEEDBACK, day), erased_users(warehouse)
    before = warehouse.read_snapshot(FEEDBACK, snapshot).to_pylist() if snapshot is not None else []
    rows: list[Row] = [row for row in before if row[c.USER_ID] not in erased]
    known = len(rows)
    keys = {key for row in rows for key in _keys(row)}
    start, end = (round(edge.timestamp() * 1_000) for edge in day_bounds(day, settings.platform.time_zone))
    arrived = 0
    drained = Drained(log, STREAM_FEEDBACK)
    for at_ms, row in drained.read(_row):
        if start <= at_ms < end and row[c.USER_ID] not in erased:
            arrived += 1
            if keys.isdisjoint(_keys(row)):
                rows.append(row)
                keys.update(_keys(row))
    rows.sort(key=lambda row: tuple(row[name] for name in FEEDBACK.key))
    warehouse.write(FEEDBACK, day, pa.Table.from_pylist(rows, FEEDBACK.schema), [], now)
    drained.trim(settings)
    new = len(rows) - known
    return FeedbackReport(day.isoformat(), len(rows), new, arrived - new, drained.unreadable, drained.begins)


def _row(entry: LogEntry) -> tuple[int, Row]:
    event = Feedback.from_json(entry.body)
    row = event.model_dump(exclude={"version"})
    return entry.at_ms, {**row, c.ITEM_KIND: str(event.item_kind), c.ACTION: str(event.action)}


def _keys(row: Row) -> list[tuple[object, ...]]:
    """By which an event is known again: what it says and, where it has one, its name."""
    named = [] if row[c.EVENT_ID] is None else [(row[c.EVENT_ID],)]
    return [tuple(row[name] for name in FEEDBACK.key), *named]
