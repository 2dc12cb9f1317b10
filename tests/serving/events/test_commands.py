import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from contracts.content_events import ContentTakenDown
from contracts.errors import EventError, InvalidRequestError
from contracts.live_events import GoLive
from contracts.names import STREAM_CONTENT, STREAM_LIVE
from serving.__main__ import app
from serving.events.commands import append_events
from serving.stores.protocol import Store
from serving.stores.redis_store import RedisStore

NOW = datetime(2026, 1, 30, 20, tzinfo=UTC)
LIVE = GoLive(streamer_id=1, broadcast_id=10, event_time=NOW).to_json()
DOWN = ContentTakenDown(content_id=5, event_time=NOW).to_json()


@pytest.fixture
def server(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> RedisStore:
    monkeypatch.setenv("STREAMREC_REDIS__URL", redis_url)
    return RedisStore.open(redis_url, 10_000)


def ok(*arguments: str, lines: bytes = b"") -> dict[str, object]:
    result = CliRunner().invoke(app, arguments, input=lines, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.output)
    return answer


def test_events_are_sent_and_consumed_from_the_command_line(server: RedisStore) -> None:
    sent = ok("send_events", "--stream", STREAM_LIVE, lines=LIVE + b"\n\n" + LIVE)
    assert sent == {"stream": STREAM_LIVE, "events": 2}
    ok("send_events", "--stream", STREAM_CONTENT, lines=DOWN)
    assert ok("consume_live", "--once") == {"entries": 2, "bad": 0}
    assert ok("consume_content", "--once") == {"entries": 1, "bad": 0}
    assert [lease.broadcast_id for lease in server.leases([1]) if lease] == [10]
    assert [change.content_id for change in server.all_visibility()] == [5]


@pytest.mark.parametrize(
    ("stream", "lines", "error", "message"),
    [
        ("streamrec.impressions", [LIVE], InvalidRequestError, "takes no events; known are streamrec.live"),
        (STREAM_LIVE, [LIVE, b"{}"], EventError, "line 2: event: "),
        (STREAM_LIVE, [DOWN], EventError, "line 1: event: "),
        (STREAM_CONTENT, [b"\xff"], EventError, "line 1: event: "),
    ],
)
def test_what_is_no_event_is_not_sent(
    store: Store, stream: str, lines: list[bytes], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        append_events(store, stream, lines, 100)
    assert len(store.read_stream(stream, "0", 100)) == len(lines) - 1 if error is EventError else True
