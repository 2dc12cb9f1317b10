"""What users did: what the next request obeys, what the bandit gets, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis

from contracts import redis_keys
from contracts.errors import InvalidRequestError
from contracts.feedback_events import Feedback as FeedbackRecord
from contracts.marks import read_marks
from contracts.names import STREAM_FEEDBACK
from contracts.settings import CandidateSettings, Settings
from serving.http.bodies import Feedback, FeedbackEvent
from serving.http.feedback import is_seen, to_commands
from serving.stores.protocol import MarkKey
from tests.serving.builders import row_of
from tests.serving.http.running import Running

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def event(action: str, item: int = 100, kind: str = "clip", user: int | None = 1, **more: object) -> dict[str, Any]:
    who = {} if user is None else {"user_id": str(user)}
    return {"item_id": str(item), "item_kind": kind, "action": action, **who, **more}


def shown(server: Running, surface: str = "home_clips", user: int = 1) -> list[int]:
    return [int(item["id"]) for item in server.ask(user, surface, limit=20)["items"]]


def told(server: Running) -> list[FeedbackRecord]:
    return [FeedbackRecord.from_json(entry) for _, entry in server.store.read_stream(STREAM_FEEDBACK, "0", 1_000)]


# The very next request


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        (event("play", 100, watched_seconds=600), {100}),
        (event("play", 100, watched_seconds=6, duration_seconds=10), {100}),
        (event("hide", 200), {200}),
        (event("dismiss", 200), {200}),
        (event("hide", 10, "streamer"), {100, 200, 500}),
        (event("dismiss", 10, "streamer"), {100, 200, 500}),
    ],
)
def test_what_was_watched_or_hidden_is_gone_from_the_very_next_request(
    server: Running, said: dict[str, Any], gone: set[int]
) -> None:
    before = set(shown(server))
    answer = server.tell(said)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert before - set(shown(server)) == gone & before
    assert gone & before


@pytest.mark.parametrize(
    "said",
    [
        event("viewport"),
        event("click"),
        event("play", watched_seconds=1),
        event("play"),
        event("play", 9_000, "live", watched_seconds=9_000),
        event("hide", 100, user=2),
    ],
)
def test_what_says_nothing_against_an_item_takes_nothing_away(server: Running, said: dict[str, Any]) -> None:
    before = set(shown(server))
    assert server.tell(said).status_code == 202
    assert set(shown(server)) == before


def test_what_was_begun_is_there_to_be_continued_until_it_is_seen_or_hidden(server: Running) -> None:
    server.tell(event("play", 101, watched_seconds=3, event_time="2026-01-31T10:00:00+00:00"))
    assert shown(server, "continue_watching") == [101]
    item = server.ask(1, "continue_watching")["items"][0]
    assert (item["source"], item["why"], item["kind"]) == (
        "continue_watching",
        "you began this and did not finish",
        "clip",
    )
    server.tell(event("play", 101, watched_seconds=400))
    assert shown(server, "continue_watching") == []
    assert row_of(server.store, 1).begun is None


def test_the_last_begun_stands_first_and_what_was_removed_not_at_all(server: Running) -> None:
    times = ("2026-01-31T10:00:00Z", "2026-01-31T10:00:01Z", "2026-01-31T09:00:00Z")
    for content, at in zip((101, 102, 103), times, strict=True):
        server.tell(event("play", content, watched_seconds=3, event_time=at))
    # 102 was removed, 103 the catalogue does not know yet.
    assert shown(server, "continue_watching") == [101]


def test_nobody_signed_in_has_begun_nothing_and_is_told(server: Running) -> None:
    body = server.ask(None, "continue_watching")
    assert (body["items"], body["degraded"]["level"]) == ([], "none")


def test_an_erased_user_is_not_remembered_again(server: Running) -> None:
    with redis.Redis.from_url(server.worker.settings.redis.url) as client:
        client.set(redis_keys.erased(1), b"1", ex=60)
        assert server.tell(event("hide", 100), event("play", 101, watched_seconds=900)).status_code == 202
        assert client.exists(redis_keys.hidden_contents(1), redis_keys.seen(1), redis_keys.progress(1)) == 0


# The stream


def test_what_happened_in_a_slate_goes_to_the_stream_as_it_was_said(server: Running) -> None:
    said = [
        event("viewport", request_id="r1", event_id="e1", streamer_id="10", event_time="2026-01-31T12:00:00+09:00"),
        event("play", request_id="r1", watched_seconds=12.5),
        event("click", request_id="r1", user=None),
        event("dismiss", request_id="r1"),
        event("hide", request_id="r1"),
        event("viewport"),
    ]
    assert server.tell(*said).json() == {"accepted": 6}
    records = told(server)
    assert [str(record.action) for record in records] == ["viewport", "play", "click", "dismiss"]
    first = records[0]
    assert (first.request_id, first.event_id, first.user_id, first.item_id, first.streamer_id) == (
        "r1",
        "e1",
        1,
        100,
        10,
    )
    assert first.event_time == datetime(2026, 1, 31, 3, tzinfo=UTC)
    assert records[1].watched_seconds == 12.5
    assert records[2].user_id is None


@pytest.mark.parametrize("action", ["viewport", "click", "play", "dismiss"])
def test_every_id_of_64_bits_goes_through(server: Running, action: str) -> None:
    server.tell(event(action, -(2**63), "vod", 2**63 - 1, request_id="r", streamer_id=str(-(2**63))))
    (record,) = told(server)
    assert (record.item_id, record.user_id, record.streamer_id) == (-(2**63), 2**63 - 1, -(2**63))


# Poison


SOUND = event("viewport", request_id="r1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not a feedback body"),
        (b"{", "not a feedback body"),
        (b"null", "Expected `object`, got `null`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"\xff\xfe", "not a feedback body"),
        (b"[" * 60_000, "not a feedback body"),
        (b'{"events": ' + b"[" * 30_000, "not a feedback body"),
        ({}, "missing required field `events`"),
        ({"events": []}, "length >= 1"),
        ({"events": [SOUND] * 101}, "length <= 100"),
        ({"events": [SOUND], "more": 1}, "unknown field `more`"),
        ({"events": [{**SOUND, "more": 1}]}, "unknown field `more`"),
        ({"events": [{**SOUND, "item_id": 100}]}, "Expected `str`, got `int`"),
        ({"events": [{**SOUND, "item_id": "1e3"}]}, "matching regex"),
        ({"events": [{**SOUND, "item_id": ""}]}, "matching regex"),
        ({"events": [{**SOUND, "item_id": "٣"}]}, "matching regex"),
        ({"events": [{**SOUND, "item_id": "9223372036854775808"}]}, "does not fit 64 bits"),
        ({"events": [{**SOUND, "user_id": "-9223372036854775809"}]}, "does not fit 64 bits"),
        ({"events": [{**SOUND, "streamer_id": "9999999999999999999"}]}, "does not fit 64 bits"),
        ({"events": [{**SOUND, "item_kind": "film"}]}, "Invalid enum value 'film'"),
        ({"events": [{**SOUND, "action": "love"}]}, "Invalid enum value 'love'"),
        ({"events": [{**SOUND, "request_id": ""}]}, "length >= 1"),
        ({"events": [{**SOUND, "request_id": "r" * 65}]}, "length <= 64"),
        ({"events": [{**SOUND, "action": "play", "watched_seconds": -1}]}, ">= 0"),
        ({"events": [{**SOUND, "action": "play", "watched_seconds": 1e9}]}, "<= 10000000"),
        (b'{"events": [{"item_id": "1", "item_kind": "vod", "action": "play", "watched_seconds": NaN}]}', "malformed"),
        (b'{"events": [{"item_id": "1", "item_kind": "vod", "action": "play", "watched_seconds": 1e999}]}', "out of"),
        ({"events": [{**SOUND, "action": "play", "duration_seconds": 0}]}, "> 0"),
        ({"events": [{**SOUND, "watched_seconds": 5}]}, "watched_seconds stands beside `viewport`"),
        ({"events": [event("hide", user=None)]}, "to `hide` something an event needs a user_id"),
        ({"events": [{**SOUND, "event_time": "yesterday"}]}, "event_time is not an ISO time"),
        ({"events": [{**SOUND, "event_time": "2026-01-31"}]}, "event_time needs an offset"),
        ({"events": [{**SOUND, "event_time": "2026-01-31T12:00:00"}]}, "event_time needs an offset"),
        ({"events": [{**SOUND, "event_time": "2026-02-30T12:00:00Z"}]}, "event_time is not an ISO time"),
        ({"events": [{**SOUND, "event_time": "0001-01-01T00:00:00+23:59"}]}, "event_time is not an ISO time"),
        ({"events": [{**SOUND, "event_time": "9999-12-31T23:59:59-23:59"}]}, "event_time is not an ISO time"),
    ],
)
def test_of_a_body_with_poison_nothing_is_taken(server: Running, body: Any, message: str) -> None:  # noqa: ANN401
    if isinstance(body, dict) and body.get("events"):
        body = {**body, "events": [event("hide", 101), *body["events"][:100]]} if len(body["events"]) < 100 else body
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = server.client.post("/v1/feedback", content=content)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert message in answer.json()["message"]
    assert told(server) == []
    assert len(row_of(server.store, 1).hidden_contents) == 0


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+00:00", "1969-12-31T00:00:00Z", "9999-12-31T23:59:59Z", None])
def test_a_hide_of_any_time_hides(server: Running, at: str | None) -> None:
    assert server.tell(event("hide", 100, **({} if at is None else {"event_time": at}))).status_code == 202
    assert 100 not in shown(server)


# The rules alone


def test_what_an_erased_user_does_is_nobodys(server: Running) -> None:
    server.store.put_tombstones({1: (AT.isoformat(), 60)})
    assert server.tell(event("click", request_id="r"), event("play", watched_seconds=600)).status_code == 202
    assert [record.user_id for record in told(server)] == [None]
    with redis.Redis.from_url(server.worker.settings.redis.url) as client:
        assert client.keys("*{1}*") == [redis_keys.erased(1).encode()]


def commands(*events: dict[str, Any]) -> list[tuple[Any, ...]]:
    feedback = msgspec.convert({"events": list(events)}, Feedback)
    return list(to_commands(feedback, (), Settings(), AT))


def test_an_event_from_ahead_of_the_clock_counts_as_now() -> None:
    ahead = (AT + timedelta(days=3)).isoformat()
    (command,) = commands(event("hide", 100, event_time=ahead))
    (mark,) = read_marks(next(part for part in command if isinstance(part, bytes))).tolist()
    assert mark == (100, int(AT.timestamp()))


def test_an_event_of_nobody_and_of_no_slate_is_nothing_to_write() -> None:
    assert commands(event("viewport", user=None)) == []


@pytest.mark.parametrize(
    ("watched", "duration", "expected"),
    [
        (None, None, False),
        (299.9, None, False),
        (300.0, None, True),
        (4.9, 10.0, False),
        (5.0, 10.0, True),
        (300.0, 10_000.0, True),
        (0.0, 10.0, False),
    ],
)
def test_seen_is_the_rule_of_the_batch(watched: float | None, duration: float | None, expected: bool) -> None:
    played = FeedbackEvent("1", "vod", "play", watched_seconds=watched, duration_seconds=duration)  # type: ignore[arg-type]
    assert is_seen(played, CandidateSettings()) is expected


def test_more_marks_than_are_kept_lose_the_oldest(server: Running) -> None:
    most = server.worker.settings.serving.max_seen_marks
    server.store.add_marks(
        MarkKey.SEEN, {1: {content: 5.0 + content for content in range(10_000, 10_000 + most)}}, 0.0, most, 60
    )
    server.tell(event("play", 100, watched_seconds=900))
    seen = row_of(server.store, 1).seen.tolist()
    assert (len(seen), 100 in seen, 10_000 in seen) == (most, True, False)


def test_a_time_that_is_no_time_is_named() -> None:
    with pytest.raises(InvalidRequestError, match="event_time"):
        commands(event("hide", event_time="noon"))
