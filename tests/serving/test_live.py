from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts import columns as c
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST
from serving.live import leases_at, sync_live
from serving.stores.leases import LeaseTerms
from serving.stores.protocol import Store
from tests.serving.builders import DAY, write

EIGHT = datetime(2026, 1, 30, 20, tzinfo=UTC)


def broadcast(identity: int, streamer: int, start: float, end: float | None) -> dict[str, object]:
    """Start and end in hours from eight in the evening."""
    ended = EIGHT + timedelta(hours=end) if end is not None else None
    title = f"show {identity}"
    started = EIGHT + timedelta(hours=start)
    return {c.BROADCAST_ID: identity, c.STREAMER_ID: streamer, c.STARTED_AT: started, c.ENDED_AT: ended, c.TITLE: title}


@pytest.mark.parametrize(
    ("start", "end", "is_on"),
    [(-1, 1, True), (-1, None, True), (0, 1, True), (-1, 0, False), (1, 2, False), (1, None, False)],
)
def test_who_is_on_at_a_moment(tmp_path: Path, start: float, end: float | None, is_on: bool) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, BROADCAST, DAY, [broadcast(900, 10, start, end)])
    assert list(leases_at(warehouse, DAY, EIGHT)) == ([10] if is_on else [])


def test_of_two_broadcasts_at_once_the_later_one_is_shown(store: Store, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, BROADCAST, DAY, [broadcast(901, 10, -1, None), broadcast(900, 10, -3, None)])
    assert sync_live(warehouse, store, DAY, EIGHT, LeaseTerms(60, 60, 100)) == 1
    [lease] = store.leases([10])
    assert lease is not None
    assert (lease.broadcast_id, lease.details.title) == (901, "show 901")
    assert datetime.fromtimestamp(lease.started_at, UTC) == EIGHT - timedelta(hours=1)
