"""Leases and takedowns, on every backend."""

import random
from collections.abc import Sequence

import pytest

from contracts import redis_keys
from serving.stores.leases import (
    Ending,
    Lease,
    LeaseDetails,
    LeaseTerms,
    LiveReport,
    Renewal,
    VisibilityChange,
    lease_of,
    live_changes,
    merged,
)
from serving.stores.memory import MemoryStore
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

TERMS = LeaseTerms(90.0, 3_600.0, 1_000)
EVERY_INT64 = [0, 1, -1, 2**63 - 1, -(2**63)]


def on(streamer: int, broadcast: int, started: float, at: float = 0.0, title: str | None = None) -> Renewal:
    return Renewal(streamer, broadcast, started, at or started, LeaseDetails(title) if title else None)


def live(store: Store, streamer: int = 1) -> int | None:
    [lease] = store.leases([streamer])
    return lease.broadcast_id if lease else None


def title(store: Store, streamer: int = 1) -> str | None:
    [lease] = store.leases([streamer])
    return lease.details.title if lease else None


def test_leases_are_read_in_the_order_asked_for(store: Store) -> None:
    store.apply_live([on(1, 10, 100), on(2, 20, 100)], TERMS)
    found = store.leases([2, 3, 1])
    assert [lease.broadcast_id if lease else None for lease in found] == [20, None, 10]
    assert store.leases([]) == []


@pytest.mark.parametrize("identity", EVERY_INT64)
def test_any_int64_is_a_streamer_and_a_broadcast(store: Store, identity: int) -> None:
    store.apply_live([on(identity, identity, 100)], TERMS)
    assert live(store, identity) == identity
    assert store.all_leases()[identity].broadcast_id == identity
    assert store.apply_live([Ending(identity, identity)], TERMS).ended == 1
    assert live(store, identity) is None


@pytest.mark.parametrize(
    ("events", "broadcast"),
    [
        ([on(1, 10, 100), Ending(1, 10)], None),
        ([on(1, 10, 100), Ending(1, 10), on(1, 10, 100, 130)], None),
        ([Ending(1, 10), on(1, 10, 100)], None),
        ([on(1, 10, 100), on(1, 11, 200), Ending(1, 10)], 11),
        ([on(1, 10, 100), Ending(1, 11), on(1, 11, 200)], 10),
        ([on(1, 11, 200), on(1, 10, 100)], 11),
        ([on(1, 11, 200), on(1, 10, 100, 300)], 11),
        ([on(1, 10, 100), on(1, 10, 100), on(1, 10, 100, 130)], 10),
        ([on(1, 10, 100), on(1, 11, 100)], 10),
        ([on(1, 10, 100), on(1, 11, 100, 101)], 11),
        ([on(1, 10, 100), Ending(1, None), on(1, 10, 100, 130)], None),
        ([Ending(1, None), on(1, 10, 100)], 10),
    ],
    ids=[
        "an end event ends",
        "a heartbeat after the end does not revive",
        "an end event that overtakes its go-live",
        "the end of an older broadcast leaves the newer one",
        "the end of a broadcast that is not on leaves the one that is",
        "a go-live that comes late does not replace a newer broadcast",
        "nor does a heartbeat of the older one",
        "redelivery changes nothing",
        "of two that started at once the first word holds",
        "until a later word",
        "ending whatever is on ends that broadcast for good",
        "ending nothing ends nothing",
    ],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "one by one"])
def test_who_is_on_after_events_in_any_order(
    store: Store, events: Sequence[Renewal | Ending], broadcast: int | None, at_once: bool
) -> None:
    for batch in [events] if at_once else [[event] for event in events]:
        store.apply_live(batch, TERMS)
    assert live(store) == broadcast


def test_a_report_counts_what_events_did(store: Store) -> None:
    events = [on(1, 10, 100), on(1, 10, 100, 110), on(1, 9, 50), Ending(1, 10), Ending(1, 10)]
    assert store.apply_live(events, TERMS) == LiveReport(started=1, renewed=1, ended=1, stale=2)
    assert store.apply_live([], TERMS) == LiveReport()


def test_the_latest_word_on_a_broadcast_holds_and_silence_changes_nothing(store: Store) -> None:
    store.apply_live([on(1, 10, 100, 100, "first")], TERMS)
    store.apply_live([on(1, 10, 100, 300, "third")], TERMS)
    store.apply_live([on(1, 10, 100, 200, "second"), on(1, 10, 100, 400)], TERMS)
    assert title(store) == "third"


def test_a_heartbeat_that_was_received_long_ago_is_no_lease(store: Store) -> None:
    now = store.server_time()
    late = Renewal(1, 10, 100, 100, seen_at=now - 91)
    ahead = Renewal(2, 20, 100, 100, seen_at=now + 1_000)
    fresh = Renewal(3, 30, 100, 100, seen_at=now - 60)
    assert store.apply_live([late, ahead, fresh], TERMS).stale == 1
    leases = store.all_leases()
    assert leases[2].expires_at == pytest.approx(now + 90, abs=5)
    assert leases[3].expires_at == pytest.approx(now + 30, abs=0.01)


def test_an_earlier_heartbeat_does_not_shorten_a_lease(store: Store) -> None:
    now = store.server_time()
    store.apply_live([Renewal(1, 10, 100, 100, seen_at=now)], TERMS)
    store.apply_live([Renewal(1, 10, 100, 90, seen_at=now - 60)], TERMS)
    assert store.all_leases()[1].expires_at == pytest.approx(now + 90, abs=0.01)


def test_the_feed_says_what_changed_and_no_more(store: Store) -> None:
    store.apply_live([on(1, 10, 100, 100, 'a b\n"c" é'), on(2, 20, 100)], TERMS)
    store.apply_live([on(1, 10, 100, 130), Ending(2, 20)], TERMS)
    store.apply_live([on(1, 9, 50), Ending(2, 20)], TERMS)
    entries = store.follow(redis_keys.LIVE_CHANGES, "0", 10, 0)
    first, second = (live_changes(entry.body) for entry in entries)
    assert first.put[1].details.title == 'a b\n"c" é'
    assert set(first.put) == {1, 2}
    assert (set(second.put), set(second.renewed), second.dropped) == (set(), {1}, {2})
    whole = merged([first, second])
    assert (set(whole.put), set(whole.renewed), whole.dropped) == ({1}, {1}, {2})


def test_a_consumer_position_is_kept_with_what_it_did(store: Store) -> None:
    assert store.position(redis_keys.LIVE_POSITION) == "0"
    store.apply_live([on(1, 10, 100)], TERMS, "5-0")
    store.apply_live([], TERMS)
    store.apply_visibility([], 60, 100, "6-0")
    assert (store.position(redis_keys.LIVE_POSITION), store.position(redis_keys.CONTENT_POSITION)) == ("5-0", "6-0")


def test_more_events_than_one_script_call_takes(store: Store) -> None:
    events = [on(streamer, streamer, 100) for streamer in range(2_500)]
    assert store.apply_live(events, TERMS, "9-0").started == 2_500
    assert len(store.all_leases()) == 2_500
    assert store.position(redis_keys.LIVE_POSITION) == "9-0"


def test_a_position_is_known_to_be_in_a_feed_or_not(store: Store) -> None:
    assert (store.last_position("s"), store.holds("s", "0")) == ("0", False)
    store.append("s", b"1", 10)
    last = store.last_position("s")
    assert store.holds("s", last)
    assert store.follow("s", last, 10, 0) == []


def test_the_latest_word_on_a_content_holds(store: Store) -> None:
    first = [VisibilityChange(5, 100.0, True), VisibilityChange(6, 100.0, True), VisibilityChange(-(2**63), 1.0, True)]
    assert store.apply_visibility(first, 60, 100) == 3
    then = [VisibilityChange(5, 99.0, False), VisibilityChange(6, 101.0, False), VisibilityChange(5, 100.0, False)]
    assert store.apply_visibility(then, 60, 100) == 1
    assert store.apply_visibility(first, 60, 100) == 0
    known = {change.content_id: change.is_removed for change in store.all_visibility()}
    assert known == {5: True, 6: False, -(2**63): True}


def any_events(seed: int, count: int) -> list[Renewal | Ending]:
    """Few streamers and broadcasts, so that most events meet others."""
    draw = random.Random(seed)
    events: list[Renewal | Ending] = []
    for _ in range(count):
        streamer, broadcast = draw.randrange(3), draw.randrange(4)
        if draw.random() < 0.3:
            events.append(Ending(streamer, draw.choice([None, broadcast])))
        else:
            words = LeaseDetails(str(draw.randrange(3))) if draw.random() < 0.5 else None
            events.append(Renewal(streamer, broadcast, draw.choice([100.0, 200.0, 300.0]), draw.random(), words))
    return events


@pytest.mark.parametrize("seed", range(20))
def test_both_backends_agree_on_any_events_at_any_time(redis_url: str, seed: int) -> None:
    now = [1_000_000.0]
    memory = MemoryStore(lambda: now[0])
    server = RedisStore.open(redis_url, 10_000, clock=lambda: now[0])
    terms = LeaseTerms(90.0, 200.0, 1_000)
    draw = random.Random(1_000 + seed)
    for _ in range(25):
        batch = any_events(draw.randrange(10**6), draw.randrange(8))
        assert memory.apply_live(batch, terms) == server.apply_live(batch, terms)
        assert memory.all_leases() == server.all_leases()
        now[0] += draw.choice([0.0, 10.0, 80.0, 150.0])


@pytest.mark.parametrize("text", [b"", b"x", b"1 2 3", b"1 2 3 {", b"a 2 3 {}"])
def test_a_record_that_is_none_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal|Expecting"):
        lease_of(text, 0.0)


def test_a_record_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    lease = lease_of(b'7 1500 2000 {"title": "t", "mood": "calm"}', 9.0)
    assert lease == Lease(7, 1.5, 9.0, LeaseDetails("t"))
