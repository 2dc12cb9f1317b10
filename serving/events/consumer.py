"""Reading a stream of events from where the last run stopped, whatever is in it."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from contracts.errors import EventError, StoreUnavailableError
from contracts.names import dead_letters
from contracts.settings import LiveSettings
from serving.stores.leases import FeedEntry, FeedStore
from serving.stores.protocol import StreamStore

Event = TypeVar("Event")
_log = logging.getLogger(__name__)
_SHOWN_BYTES = 2_000


class ConsumerStore(FeedStore, StreamStore, Protocol):
    """What a consumer reads from, and writes what it cannot read to."""


@dataclass(frozen=True)
class Received(Generic[Event]):
    """An event, and when the store's server received it, where that is known."""

    event: Event
    received_at: float | None


@dataclass(frozen=True)
class Topic(Generic[Event]):
    """A stream and what is done with it.

    Args:
        position_key: Where `handle` keeps how far it has come.
        parse: Raises `EventError` for what is no event.
        handle: Takes in events, none at times, and the position after them in one step; redelivery must be harmless.
            Writing the position, also an unchanged one, says that the consumer is at work.
    """

    stream: str
    position_key: str
    parse: Callable[[bytes], Event]
    handle: Callable[[Sequence[Received[Event]], str], None]


class Step(NamedTuple):
    """What one read gave; `bad` entries are among the dead letters."""

    entries: int
    bad: int


class Consumer(Generic[Event]):
    """Takes in one topic. Killed at any moment, the next run goes on from the last position that was written."""

    def __init__(self, store: ConsumerStore, topic: Topic[Event], settings: LiveSettings) -> None:
        self._store, self._topic, self._settings = store, topic, settings

    def step(self, block_ms: int) -> Step:
        """Take in what is new, at most one batch; waits up to `block_ms` for the first.

        Raises:
            StoreUnavailableError
        """
        topic, store = self._topic, self._store
        position = store.position(topic.position_key)
        entries = store.follow(topic.stream, position, self._settings.batch_events, block_ms)
        received = [one for entry in entries if (one := self._received(entry)) is not None]
        topic.handle(received, entries[-1].identity if entries else self._restart(position))
        return Step(len(entries), len(entries) - len(received))

    def catch_up(self) -> Step:
        """Take in all there is."""
        entries = bad = 0
        while (step := self.step(0)).entries:
            entries, bad = entries + step.entries, bad + step.bad
        return Step(entries, bad)

    def run(self, stop: threading.Event) -> None:
        """Take in what comes until told to stop; a store that is away is waited for."""
        while not stop.is_set():
            try:
                self.step(self._settings.block_ms)
            except StoreUnavailableError as error:
                _log.warning("%s is not read: %s", self._topic.stream, error)
                stop.wait(self._settings.retry_seconds)

    def _received(self, entry: FeedEntry) -> Received[Event] | None:
        try:
            return Received(self._topic.parse(entry.body), entry.received_at)
        except EventError as error:
            _log.warning("entry %s of %s is no event: %s", entry.identity, self._topic.stream, error)
            self._bury(entry, str(error))
            return None

    def _bury(self, entry: FeedEntry, reason: str) -> None:
        shown = entry.body[:_SHOWN_BYTES].decode(errors="backslashreplace")
        letter = json.dumps({"id": entry.identity, "reason": reason, "body": shown}).encode()
        self._store.append(dead_letters(self._topic.stream), letter, self._settings.dead_letter_length)

    def _restart(self, position: str) -> str:
        """Where to go on when nothing came: at the start of a stream that was begun anew."""
        is_lost = position != "0" and not self._store.holds(self._topic.stream, position)
        return "0" if is_lost else position
