"""Live leases: a streamer is live while its lease lives."""

from collections.abc import Mapping
from datetime import date, datetime

import pyarrow.compute as pc

from contracts import columns as c
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST
from serving.stores.leases import Ending, LeaseDetails, LeaseStore, LeaseTerms, Renewal


def go_live(store: LeaseStore, renewal: Renewal, terms: LeaseTerms) -> bool:
    """Start or renew a lease; says whether it is on: an ended or replaced broadcast stays off."""
    return store.apply_live([renewal], terms).stale == 0


def end_live(store: LeaseStore, streamer_id: int, terms: LeaseTerms) -> bool:
    """End whatever broadcast of the streamer is on; says whether one was."""
    return store.apply_live([Ending(streamer_id, None)], terms).ended == 1


def sync_live(warehouse: Warehouse, store: LeaseStore, day: date, at: datetime, terms: LeaseTerms) -> int:
    """Lease every broadcast of `day` that was on at `at`; returns how many are on now.

    The lease lasts in real time from now, also where `at` is a moment of the past. A broadcast that has been ended, or
    that a later one of the same streamer has replaced, stays off.
    """
    renewals = list(leases_at(warehouse, day, at).values())
    return len(renewals) - store.apply_live(renewals, terms).stale


def leases_at(warehouse: Warehouse, day: date, at: datetime) -> Mapping[int, Renewal]:
    """The broadcasts of a day that were on at a moment, by streamer; of two at once the later one."""
    rows = warehouse.read(BROADCAST, day)
    ended = rows.column(c.ENDED_AT)
    is_on = pc.and_(pc.less_equal(rows.column(c.STARTED_AT), at), pc.fill_null(pc.greater(ended, at), True))
    on = rows.filter(is_on).sort_by(c.STARTED_AT)
    return {
        row[c.STREAMER_ID]: Renewal(
            row[c.STREAMER_ID],
            row[c.BROADCAST_ID],
            row[c.STARTED_AT].timestamp(),
            at.timestamp(),
            LeaseDetails(row[c.TITLE], row[c.CATEGORY]),
        )
        for row in on.to_pylist()
    }
