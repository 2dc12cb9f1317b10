"""Commands of events: consumers that run for ever, and a way to send events from a file."""

import json
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from contracts.content_events import content_event
from contracts.errors import EventError, InvalidRequestError
from contracts.live_events import live_event
from contracts.names import STREAM_CONTENT, STREAM_LIVE
from contracts.settings import Settings, load_settings
from serving.events.consumer import Consumer
from serving.events.content import content_topic
from serving.events.live import live_topic
from serving.stores.leases import LeaseTerms
from serving.stores.protocol import StreamStore
from serving.stores.redis_store import RedisStore

Once = Annotated[bool, typer.Option("--once", help="Take in what is there, then end.")]
_PARSERS: dict[str, Callable[[bytes], object]] = {STREAM_LIVE: live_event, STREAM_CONTENT: content_event}


def add_commands(app: typer.Typer) -> None:
    """Add them to the room's commands."""
    app.command(name="consume_live")(consume_live)
    app.command(name="consume_content")(consume_content)
    app.command(name="send_events")(send_events)


def consume_live(once: Once = False) -> None:
    """Turn live events into leases, until stopped."""
    settings = load_settings()
    store = _store(settings)
    topic = live_topic(store, LeaseTerms.of(settings.serving, settings.live))
    _consume(Consumer(store, topic, settings.live), once)


def consume_content(once: Once = False) -> None:
    """Take contents off the slates that were taken down or made private, until stopped."""
    settings = load_settings()
    store = _store(settings)
    _consume(Consumer(store, content_topic(store, settings.live), settings.live), once)


def send_events(stream: Annotated[str, typer.Option(help="streamrec.live or streamrec.content.")]) -> None:
    """Append events, one JSON object per line of the standard input, to a stream."""
    settings = load_settings()
    count = append_events(_store(settings), stream, sys.stdin.buffer, settings.serving.stream_max_length)
    typer.echo(json.dumps({"stream": stream, "events": count}))


def append_events(store: StreamStore, stream: str, lines: Iterable[bytes], max_length: int) -> int:
    """Append every line that is not empty; returns how many.

    Raises:
        InvalidRequestError: the stream is none of these.
        EventError: a line is no event; those before it are sent.
    """
    if stream not in _PARSERS:
        raise InvalidRequestError(f"stream `{stream}` takes no events; known are {', '.join(_PARSERS)}")
    count = 0
    for number, line in enumerate(lines, start=1):
        body = line.strip()
        if not body:
            continue
        try:
            _PARSERS[stream](body)
        except EventError as error:
            raise EventError(f"line {number}: {error}") from error
        store.append(stream, body, max_length)
        count += 1
    return count


def _consume(consumer: Consumer[Any], once: bool) -> None:
    if once:
        typer.echo(json.dumps(consumer.catch_up()._asdict()))
    else:
        consumer.run(threading.Event())


def _store(settings: Settings) -> RedisStore:
    return RedisStore.open(settings.redis.url, settings.redis.batch_timeout_ms)
