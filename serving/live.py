"""Live leases: a streamer is live while its lease lives."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

import pyarrow.compute as pc

from contracts import columns as c
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST
from serving.stores.protocol import LeaseStore


@dataclass(frozen=True)
class Lease:
    """The broadcast that is on."""

    broadcast_id: int
    title: str | None
    started_at: str

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes | None) -> "Lease | None":
        return cls(**json.loads(text)) if text is not None else None


def go_live(store: LeaseStore, streamer_id: int, lease: Lease, lease_seconds: float) -> None:
    """Start or renew a lease."""
    store.put_leases({streamer_id: lease.to_json()}, lease_seconds)


def sync_live(warehouse: Warehouse, store: LeaseStore, day: date, at: datetime, lease_seconds: float) -> int:
    """Lease every broadcast of `day` that was on at `at`; returns how many.

    The lease lasts in real time from now, also where `at` is a moment of the past.
    """
    leases = leases_at(warehouse, day, at)
    store.put_leases({streamer: lease.to_json() for streamer, lease in leases.items()}, lease_seconds)
    return len(leases)


def leases_at(warehouse: Warehouse, day: date, at: datetime) -> Mapping[int, Lease]:
    """The broadcasts of a day that were on at a moment, by streamer; of two at once the later one."""
    rows = warehouse.read(BROADCAST, day)
    ended = rows.column(c.ENDED_AT)
    is_on = pc.and_(pc.less_equal(rows.column(c.STARTED_AT), at), pc.fill_null(pc.greater(ended, at), True))
    on = rows.filter(is_on).sort_by(c.STARTED_AT)
    return {
        row[c.STREAMER_ID]: Lease(row[c.BROADCAST_ID], row[c.TITLE], row[c.STARTED_AT].isoformat())
        for row in on.to_pylist()
    }
