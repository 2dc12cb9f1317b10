import pytest

from contracts.errors import PublishOvertakenError
from serving.stores.hashes import Hashes
from serving.stores.leases import Lease, LeaseTerms, Renewal
from serving.stores.memory import MemoryStore


def test_a_lease_ends_with_its_time() -> None:
    now = [0.0]
    store = MemoryStore(lambda: now[0])
    store.apply_live([Renewal(1, 7, 0.0, 0.0)], LeaseTerms(90, 3_600, 100))
    now[0] = 89.9
    assert store.leases([1]) == [Lease(7, 0.0, 90.0)]
    now[0] = 90.0
    assert store.leases([1]) == [None]


def test_a_publish_whose_heartbeat_stopped_is_swept() -> None:
    now = [0.0]
    store = MemoryStore(lambda: now[0])
    store.begin("g1", 60)
    store.write_hashes("g1", Hashes.of({"k": {b"1": b"list"}}), 1_000)
    now[0] = 61.0
    assert store.sweep() == ["g1"]


def test_what_a_publish_wrote_after_it_was_swept_goes_with_the_next_sweep() -> None:
    now = [0.0]
    store = MemoryStore(lambda: now[0])
    store.begin("g1", 60)
    now[0] = 61.0
    assert store.sweep() == ["g1"]
    store.write_hashes("g1", Hashes.of({"k": {b"1": b"list"}}), 1_000)
    with pytest.raises(PublishOvertakenError, match="publish again"):
        store.flip("g1", {}, 1_000)
    assert store.sweep() == ["g1"]
    assert store.memory_of("g1", 10).keys == 0
