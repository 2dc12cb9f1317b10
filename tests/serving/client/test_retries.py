"""What is tried again, and what is not, against a server that answers by a script."""

import asyncio

import pytest

from contracts.errors import (
    ServiceError,
    ServiceFailedError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from serving.client import AsyncClient, Client, Event, Patience
from tests.serving.client.scripted import Line, scripted

SLATE = Line(
    200,
    b'{"request_id":"r","surface":"home_clips","user_id":"1","segment":"all","generation":"g","model_version":"",'
    b'"policy_id":"p","posterior_epoch":0,"served_at":"2026-01-31T06:00:00+00:00","items":[],"degraded":null,'
    b'"cursor":null,"said_by_a_later_version":1}',
)
TAKEN = Line(202, b'{"accepted":1}')
BUSY = Line(503, retry_after="1")
TOO_OFTEN = Line(429, b'{"error":"too_many_requests","message":"slower"}', "2")


def event(event_id: str | None) -> Event:
    return Event(item_id=1, item_kind="clip", action="click", user_id=1, event_id=event_id)


def test_a_slate_is_asked_for_again_after_the_time_that_the_edge_says() -> None:
    waits: list[float] = []
    with scripted(BUSY, TOO_OFTEN, SLATE) as script, Client(script.url, sleep=waits.append) as client:
        assert client.recommend(1, "home_clips").user_id == 1
    assert waits == [1.0, 2.0]
    assert len(script.asked) == 3
    assert len(set(script.asked)) == 1  # the same slate each time, by one request id


def test_a_lost_connection_is_made_anew() -> None:
    waits: list[float] = []
    with scripted(Line(0), Line(0), SLATE) as script, Client(script.url, sleep=waits.append) as client:
        assert client.recommend(1, "home_clips").user_id == 1
    assert waits == [0.1, 0.2]


def test_patience_ends() -> None:
    waits: list[float] = []
    with (
        scripted(BUSY) as script,
        Client(script.url, sleep=waits.append) as client,
        pytest.raises(ServiceUnavailableError) as away,
    ):
        client.recommend(1, "home_clips")
    assert (away.value.status, away.value.code, away.value.retry_after_seconds) == (503, "store_unavailable", 1.0)
    assert len(script.asked) == 3
    assert waits == [1.0, 1.0]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (Line(503, retry_after="60"), ServiceUnavailableError),
        (Line(503), ServiceUnavailableError),
        (Line(503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), ServiceUnavailableError),
        (Line(429, b'{"error":"too_many_requests","message":"slower"}'), TooManyRequestsError),
        (Line(500, b'{"error":"internal","message":"failed"}'), ServiceFailedError),
        (Line(502, b"<html>bad gateway</html>"), ServiceFailedError),
        (Line(200, b"<html>somebody else</html>"), ServiceFailedError),
        (Line(200, b'{"request_id":1}'), ServiceFailedError),
        (Line(302, b""), ServiceFailedError),
    ],
)
def test_what_nobody_asks_to_repeat_is_an_error_at_once(line: Line, error: type[ServiceError]) -> None:
    waits: list[float] = []
    with scripted(line) as script, Client(script.url, sleep=waits.append) as client, pytest.raises(error) as raised:
        client.recommend(1, "home_clips")
    assert type(raised.value) is error
    assert raised.value.status == line.status
    assert waits == []
    assert len(script.asked) == 1


def test_feedback_whose_events_have_ids_is_sent_again() -> None:
    waits: list[float] = []
    with scripted(BUSY, Line(0), TAKEN) as script, Client(script.url, sleep=waits.append) as client:
        assert client.feedback([event("a")]) == 1
    assert len(script.asked) == 3


@pytest.mark.parametrize("line", [BUSY, TOO_OFTEN, Line(0)])
def test_feedback_is_sent_once_where_an_event_has_no_id(line: Line) -> None:
    with scripted(line, TAKEN) as script, Client(script.url) as client, pytest.raises(ServiceError):
        client.feedback([event("a"), event(None)])
    assert len(script.asked) == 1


def test_a_worker_that_is_not_ready_is_an_answer() -> None:
    body = (
        b'{"ready":false,"store":"away","generation":null,"mirrors":[{"name":"live","age_seconds":null,"problem":"x"}]}'
    )
    with scripted(Line(503, body, "1")) as script, Client(script.url) as client:
        assert client.ready().store == "away"
    assert len(script.asked) == 1


def test_no_retry_is_a_patience_too() -> None:
    with (
        scripted(BUSY) as script,
        Client(script.url, patience=Patience(retries=0)) as client,
        pytest.raises(ServiceUnavailableError),
    ):
        client.explain("r")
    assert len(script.asked) == 1


def test_the_awaited_client_has_the_same_patience() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def talk(url: str) -> None:
        async with AsyncClient(url, sleep=sleep) as client:
            assert (await client.recommend(1, "home_clips")).user_id == 1
            assert await client.feedback([event("a")]) == 1

    with scripted(Line(0), BUSY, SLATE, TOO_OFTEN, TAKEN) as script:
        asyncio.run(talk(script.url))
    assert waits == [0.1, 1.0, 2.0]
    assert len(script.asked) == 5
