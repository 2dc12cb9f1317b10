import numpy as np
import pytest

from serving.mirrors.live_table import LiveTable
from serving.stores.leases import Lease, LeaseDetails, LiveChanges

NONE = LiveChanges({}, {}, frozenset())


def table(**leases: float) -> LiveTable:
    """Streamers `s5=90.0` with the end of their lease; the broadcast is ten times the streamer."""
    rows = {int(name[1:]): end for name, end in leases.items()}
    return LiveTable.of({streamer: lease(streamer, end) for streamer, end in rows.items()})


def lease(streamer: int, end: float, title: str | None = None) -> Lease:
    return Lease(streamer * 10, 1.0, end, LeaseDetails(title))


def rows(found: LiveTable, streamers: list[int], now: float) -> list[int]:
    return found.lookup(np.array(streamers, np.int64), now).tolist()


def test_streamers_are_looked_up_in_any_order_and_twice() -> None:
    found = table(s7=90.0, s3=90.0, s5=90.0)
    assert rows(found, [5, 4, 7, 3, 5, 9], 0.0) == [1, -1, 2, 0, 1, -1]
    assert found.broadcast_ids.tolist() == [30, 50, 70]


def test_a_lease_is_over_from_its_end_on() -> None:
    found = table(s3=90.0)
    assert (rows(found, [3], 89.9), rows(found, [3], 90.0)) == ([0], [-1])
    assert found.live(90.0).tolist() == []


def test_nobody_is_found_in_an_empty_table_and_nobody_asked_for_is_nobody_found() -> None:
    assert rows(LiveTable.of({}), [1, 2], 0.0) == [-1, -1]
    assert rows(LiveTable.of({}), [], 0.0) == rows(table(s1=9.0), [], 0.0) == []


@pytest.mark.parametrize("identity", [0, -1, 2**63 - 1, -(2**63)])
def test_any_int64_is_a_streamer(identity: int) -> None:
    found = LiveTable.of({identity: Lease(identity, 1.0, 90.0)})
    assert rows(found, [identity, 5], 0.0) == [0, -1]
    assert found.broadcast_ids.tolist() == [identity]


def test_changes_make_a_new_table_and_leave_the_old_one() -> None:
    old = table(s1=90.0, s2=90.0, s3=10.0)
    changes = LiveChanges({2: Lease(21, 5.0, 95.0), 4: lease(4, 96.0)}, {1: 99.0, 8: 99.0}, frozenset({3}))
    new = old.changed(changes, 50.0)
    assert new.streamer_ids.tolist() == [1, 2, 4]
    assert new.broadcast_ids.tolist() == [10, 21, 40]
    assert new.expires_at.tolist() == [99.0, 95.0, 96.0]
    assert old.streamer_ids.tolist() == [1, 2, 3]
    assert old.expires_at.tolist() == [90.0, 90.0, 10.0]


def test_leases_that_are_over_leave_with_the_next_change() -> None:
    changes = LiveChanges({}, {}, frozenset({1}))
    assert table(s1=90.0, s2=10.0, s3=90.0).changed(changes, 50.0).streamer_ids.tolist() == [3]
    assert table(s1=90.0).changed(NONE, 50.0).streamer_ids.tolist() == [1]


def test_who_ended_and_began_again_in_one_change_is_live() -> None:
    changes = LiveChanges({1: Lease(11, 5.0, 95.0)}, {}, frozenset({1}))
    assert table(s1=90.0).changed(changes, 50.0).broadcast_ids.tolist() == [11]


def test_a_lease_that_says_nothing_keeps_the_words_of_its_broadcast_and_of_no_other() -> None:
    old = LiveTable.of({1: lease(1, 90.0, "finals"), 2: lease(2, 90.0, "warm-up")})
    changes = LiveChanges({1: lease(1, 95.0), 2: Lease(21, 5.0, 95.0)}, {}, frozenset())
    assert old.changed(changes, 50.0).titles.tolist() == ["finals", None]


def test_a_mature_broadcast_keeps_its_age() -> None:
    grown = Lease(10, 1.0, 90.0, LeaseDetails("late show", "talk", "en", 18))
    found = LiveTable.of({1: grown, 2: lease(2, 90.0)})
    assert found.min_ages.tolist() == [18, 0]
    assert found.described({1: Lease(10, 1.0, 95.0)})[1].details == grown.details
