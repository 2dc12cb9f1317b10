"""The consumers on both stores: what events do, what cannot be read, where a run goes on."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from contracts import redis_keys
from contracts.content_events import ContentChanged, ContentPublished, ContentTakenDown
from contracts.events import StreamEvent
from contracts.live_events import EndLive, GoLive, Heartbeat
from contracts.names import STREAM_CONTENT, STREAM_LIVE, Visibility, dead_letters
from contracts.settings import LiveSettings
from serving.events.consumer import Consumer, Step
from serving.events.content import ContentEvent, content_topic
from serving.events.live import LiveEvent, live_topic
from serving.stores.leases import LeaseTerms
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

EIGHT = datetime(2026, 1, 30, 20, tzinfo=UTC)
TERMS = LeaseTerms(90.0, 3_600.0, 1_000)
QUICK = LiveSettings(block_ms=1, retry_seconds=0.01)


def live(store: Store) -> Consumer[LiveEvent]:
    return Consumer(store, live_topic(store, TERMS), QUICK)


def content(store: Store) -> Consumer[ContentEvent]:
    return Consumer(store, content_topic(store, QUICK), QUICK)


def send(store: Store, stream: str, *events: StreamEvent | bytes) -> None:
    for event in events:
        store.append(stream, event if isinstance(event, bytes) else event.to_json(), 10_000)


def go_live(streamer: int, broadcast: int, minutes: float = 0.0, **said: str) -> GoLive:
    return GoLive(streamer_id=streamer, broadcast_id=broadcast, event_time=EIGHT + timedelta(minutes=minutes), **said)


def heartbeat(streamer: int, broadcast: int, minutes: float) -> Heartbeat:
    time = EIGHT + timedelta(minutes=minutes)
    return Heartbeat(streamer_id=streamer, broadcast_id=broadcast, started_at=EIGHT, event_time=time)


def end(streamer: int, broadcast: int) -> EndLive:
    return EndLive(streamer_id=streamer, broadcast_id=broadcast, event_time=EIGHT)


def on(store: Store) -> dict[int, int]:
    return {streamer: lease.broadcast_id for streamer, lease in store.all_leases().items()}


def removed(store: Store) -> set[int]:
    return {change.content_id for change in store.all_visibility() if change.is_removed}


def test_live_events_become_leases(store: Store) -> None:
    send(store, STREAM_LIVE, go_live(1, 10, title="finals", category="chess"), go_live(2, 20), heartbeat(3, 30, 5))
    send(store, STREAM_LIVE, end(2, 20), heartbeat(2, 20, 6))
    assert live(store).catch_up() == Step(5, 0)
    assert on(store) == {1: 10, 3: 30}
    [lease] = store.leases([1])
    assert lease is not None
    assert (lease.details.title, lease.details.category, lease.started_at) == ("finals", "chess", EIGHT.timestamp())


def test_events_that_come_again_change_nothing(store: Store) -> None:
    events = [go_live(1, 10), heartbeat(1, 10, 1), end(1, 10), go_live(1, 11, 5)]
    send(store, STREAM_LIVE, *events)
    live(store).catch_up()
    before = on(store)
    send(store, STREAM_LIVE, *events)
    live(store).catch_up()
    assert on(store) == before == {1: 11}


def test_a_consumer_goes_on_where_the_last_one_stopped(store: Store) -> None:
    send(store, STREAM_LIVE, go_live(1, 10))
    assert live(store).catch_up() == Step(1, 0)
    send(store, STREAM_LIVE, go_live(2, 20))
    assert live(store).catch_up() == Step(1, 0)
    assert live(store).catch_up() == Step(0, 0)


POISON = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"9" * 5_000,
    b'{"type": "heartbeat"}',
    b'{"version": 2, "type": "end_live", "streamer_id": 1, "broadcast_id": 10, "event_time": "2026-01-30T20:00:00Z"}',
    b'{"type": "end_live", "streamer_id": "1", "broadcast_id": 10, "event_time": "2026-01-30T20:00:00Z"}',
    b'{"type": "end_live", "streamer_id": 9223372036854775808, "broadcast_id":1, "event_time": "2026-01-30T20:00:00Z"}',
    b'{"type": "end_live", "streamer_id": 1, "broadcast_id": 10, "event_time": "2026-01-30T20:00:00"}',
    b'{"type": "end_live", "streamer_id": 1, "broadcast_id": 10, "event_time": "2026-01-30T20:00:00Z", "x": 1}',
]


def test_what_is_no_event_is_counted_kept_and_stops_nothing(store: Store) -> None:
    send(store, STREAM_LIVE, go_live(1, 10), *POISON, go_live(2, 20))
    assert live(store).catch_up() == Step(len(POISON) + 2, len(POISON))
    assert on(store) == {1: 10, 2: 20}
    letters = [json.loads(body) for _, body in store.read_stream(dead_letters(STREAM_LIVE), "0", 100)]
    assert len(letters) == len(POISON)
    assert all(letter["reason"] and letter["id"] and len(letter["body"]) <= 2_000 for letter in letters)
    assert "2" in letters[6]["body"]
    assert "version" in letters[6]["reason"]


def test_a_batch_of_nothing_but_poison_is_behind_us_too(store: Store) -> None:
    send(store, STREAM_LIVE, b"x", b"y")
    live(store).catch_up()
    assert live(store).catch_up() == Step(0, 0)


def test_an_entry_without_our_field_is_no_event(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(STREAM_LIVE, {"event": "go"})
    assert live(store).catch_up() == Step(1, 1)


def test_a_stream_that_was_begun_anew_is_read_from_its_start(redis_url: str) -> None:
    store = RedisStore.open(redis_url, 10_000)
    consumer = live(store)
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(STREAM_LIVE, {"e": go_live(1, 10).to_json()}, id="99999999999999-0")
        consumer.catch_up()
        client.delete(STREAM_LIVE)
        client.xadd(STREAM_LIVE, {"e": go_live(2, 20).to_json()})
    consumer.catch_up()
    assert consumer.catch_up() == Step(1, 0)
    assert on(store) == {1: 10, 2: 20}


def test_expired_leases_are_swept_without_any_event(redis_url: str) -> None:
    now = [1_000_000.0]
    store = RedisStore.open(redis_url, 10_000, clock=lambda: now[0])
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(STREAM_LIVE, {"e": go_live(1, 10).to_json()}, id="1000000000-1")
        live(store).catch_up()
        assert client.zcard(redis_keys.LIVE_EXPIRY) == client.hlen(redis_keys.LIVE_LEASES) == 1
        now[0] += 90
        live(store).step(0)
        assert client.zcard(redis_keys.LIVE_EXPIRY) == client.hlen(redis_keys.LIVE_LEASES) == 0


def test_ended_broadcasts_are_forgotten_after_a_while(redis_url: str) -> None:
    now = [1_000_000.0]
    store = RedisStore.open(redis_url, 10_000, clock=lambda: now[0])
    send(store, STREAM_LIVE, go_live(1, 10), end(1, 10))
    live(store).catch_up()
    now[0] += TERMS.ended_memory_seconds
    live(store).step(0)
    with redis.Redis.from_url(redis_url) as client:
        assert client.zcard(redis_keys.LIVE_ENDED) == 0


def test_a_store_that_is_away_is_waited_for(redis_url: str) -> None:
    class Away:
        """The store, which fails at the first call."""

        calls = 0

        def __init__(self, url: str) -> None:
            self.here, self.gone = RedisStore.open(url, 10_000), RedisStore.open("redis://127.0.0.1:1/0", 50)

        def __getattr__(self, name: str) -> object:
            self.calls += 1
            return getattr(self.gone if self.calls == 1 else self.here, name)

    store = Away(redis_url)
    send(store.here, STREAM_LIVE, go_live(1, 10))
    consumer = Consumer(store, live_topic(store.here, TERMS), QUICK)  # type: ignore[arg-type]
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=[stop], daemon=True)
    thread.start()
    waited = threading.Event()
    while not on(store.here) and thread.is_alive():
        waited.wait(0.01)
    stop.set()
    thread.join(10)
    assert on(store.here) == {1: 10}


def published(identity: int, visibility: Visibility = Visibility.PUBLIC) -> ContentPublished:
    return ContentPublished(
        content_id=identity, content_kind="vod", streamer_id=1, visibility=visibility, event_time=EIGHT
    )


def changed(identity: int, visibility: Visibility, minutes: float) -> ContentChanged:
    at = EIGHT + timedelta(minutes=minutes)
    return ContentChanged(content_id=identity, content_kind="vod", streamer_id=1, visibility=visibility, event_time=at)


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        ([published(5)], set()),
        ([published(5), ContentTakenDown(content_id=5, event_time=EIGHT)], {5}),
        ([ContentTakenDown(content_id=5, event_time=EIGHT), published(5)], {5}),
        ([published(5, Visibility.PRIVATE)], {5}),
        ([changed(5, Visibility.PRIVATE, 1), changed(5, Visibility.PUBLIC, 2)], set()),
        ([changed(5, Visibility.PUBLIC, 2), changed(5, Visibility.PRIVATE, 1)], set()),
        ([changed(5, Visibility.REMOVED, 2), changed(5, Visibility.PUBLIC, 1), b"?"], {5}),
    ],
)
def test_what_must_not_be_shown_follows_from_events_in_any_order(
    store: Store, events: list[StreamEvent | bytes], gone: set[int]
) -> None:
    send(store, STREAM_CONTENT, *events)
    content(store).catch_up()
    assert removed(store) == gone
