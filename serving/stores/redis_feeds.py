"""Feeds, leases and takedowns in Redis."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from contracts import redis_keys
from serving.stores.connection import Client, unavailable_is_named
from serving.stores.leases import (
    Ending,
    FeedEntry,
    Lease,
    LeaseTerms,
    LiveReport,
    Renewal,
    VisibilityChange,
    lease_of,
    milliseconds,
)
from serving.stores.live_scripts import APPLY_LIVE, APPLY_VISIBILITY, READ_LEASES, SERVER_TIME

_log = logging.getLogger(__name__)
STREAM_FIELD: Final = b"e"
START: Final = "0"
_EVENTS_AT_ONCE: Final = 1_000
"""Seven arguments each: below what one call of a script may take."""
_SCANNED_AT_ONCE: Final = 2_000


class RedisFeeds:
    """The part of the store that lives by events.

    Args:
        clock: Unix seconds in place of the server's clock, so that a day can be replayed; None asks the server, so
            that the clocks of clients do not matter.
    """

    def __init__(self, client: Client, clock: Callable[[], float] | None = None) -> None:
        self._redis, self._clock = client, clock
        self._apply_live = client.register_script(APPLY_LIVE)
        self._read_leases = client.register_script(READ_LEASES)
        self._apply_visibility = client.register_script(APPLY_VISIBILITY)
        self._server_time = client.register_script(SERVER_TIME)

    @unavailable_is_named
    def follow(self, stream: str, after: str, count: int, block_ms: int) -> list[FeedEntry]:
        found = self._redis.xread({stream: after}, count=count, block=block_ms or None)
        return [_entry(identity, fields) for _, entries in found for identity, fields in entries]

    @unavailable_is_named
    def last_position(self, stream: str) -> str:
        last = self._redis.xrevrange(stream, count=1)
        return last[0][0].decode() if last else START

    @unavailable_is_named
    def holds(self, stream: str, position: str) -> bool:
        return bool(self._redis.xrange(stream, position, position))

    @unavailable_is_named
    def position(self, key: str) -> str:
        value = self._redis.get(key)
        return value.decode().partition(" ")[0] if value is not None else START

    @unavailable_is_named
    def consumed_at(self, key: str) -> float | None:
        value = self._redis.get(key)
        written = value.partition(b" ")[2] if value is not None else b""
        return int(written) / 1000 if written else None

    @unavailable_is_named
    def server_time(self) -> float:
        if self._clock is not None:
            return self._clock()
        # A script rather than a plain call: its key leads to the node of a cluster whose clock times the leases.
        seconds, microseconds = self._server_time(keys=[redis_keys.LIVE_EXPIRY])
        return int(seconds) + int(microseconds) / 1e6

    @unavailable_is_named
    def apply_live(
        self, events: Sequence[Renewal | Ending], terms: LeaseTerms, position: str | None = None
    ) -> LiveReport:
        report = LiveReport()
        ttl, memory = milliseconds(terms.lease_seconds), milliseconds(terms.ended_memory_seconds)
        for start in range(0, len(events) or 1, _EVENTS_AT_ONCE):
            chunk = events[start : start + _EVENTS_AT_ONCE]
            reached = position if start + _EVENTS_AT_ONCE >= len(events) else None
            arguments = [part for event in chunk for part in _arguments(event)]
            head = [self._now(), ttl, memory, terms.changes_length, reached or ""]
            report = report.plus(LiveReport(*self._apply_live(keys=redis_keys.LIVE, args=[*head, *arguments])))
        return report

    @unavailable_is_named
    def leases(self, streamer_ids: Sequence[int]) -> list[Lease | None]:
        found = self._read_leases(keys=redis_keys.LIVE[:2], args=[self._now(), *map(int, streamer_ids)])
        pairs = zip(found[::2], found[1::2], strict=True)
        return [lease_of(text, int(expiry) / 1000) if text else None for text, expiry in pairs]

    @unavailable_is_named
    def all_leases(self) -> dict[int, Lease]:
        records = dict(self._redis.hscan_iter(redis_keys.LIVE_LEASES, count=_SCANNED_AT_ONCE))
        expiries = self._redis.zscan_iter(redis_keys.LIVE_EXPIRY, count=_SCANNED_AT_ONCE)
        return dict(_sound(records, expiries))

    @unavailable_is_named
    def apply_visibility(
        self, changes: Sequence[VisibilityChange], ttl_seconds: float, length: int, position: str | None = None
    ) -> int:
        arguments = [
            part
            for change in changes
            for part in (change.content_id, milliseconds(change.event_time), int(change.is_removed))
        ]
        head = [self._now(), milliseconds(ttl_seconds), length, position or ""]
        return int(self._apply_visibility(keys=redis_keys.CONTENT, args=[*head, *arguments]))

    @unavailable_is_named
    def all_visibility(self) -> list[VisibilityChange]:
        found = self._redis.hscan_iter(redis_keys.CONTENT_VISIBILITY, count=_SCANNED_AT_ONCE)
        rows = ((content, *state.split(b" ")) for content, state in found)
        return [VisibilityChange(int(content), int(at) / 1000, removed == b"1") for content, at, removed in rows]

    @unavailable_is_named
    def newest_contents(self, generation: str) -> list[bytes]:
        parts: list[bytes] = self._redis.hvals(redis_keys.newest_contents(generation))
        return parts

    def _now(self) -> int | str:
        return "" if self._clock is None else milliseconds(self._clock())


def _entry(identity: bytes, fields: dict[bytes, bytes]) -> FeedEntry:
    text = identity.decode()
    return FeedEntry(text, fields.get(STREAM_FIELD, b""), int(text.partition("-")[0]) / 1000)


def _arguments(event: Renewal | Ending) -> tuple[object, ...]:
    if isinstance(event, Ending):
        broadcast = "" if event.broadcast_id is None else event.broadcast_id
        return ("end", event.streamer_id, broadcast, "", "", "", "")
    seen = "" if event.seen_at is None else milliseconds(event.seen_at)
    times = milliseconds(event.started_at), milliseconds(event.event_time), seen
    details = "" if event.details is None else event.details.to_json()
    return ("renew", event.streamer_id, event.broadcast_id, *times, details)


def _sound(records: dict[bytes, bytes], expiries: Iterable[tuple[bytes, float]]) -> Iterator[tuple[int, Lease]]:
    """The leases that can be read: one that somebody wrote by hand must not hide all others."""
    for streamer, expiry in expiries:
        try:
            yield int(streamer), lease_of(records[streamer], expiry / 1000)
        except KeyError:
            continue  # it ended between the two reads
        except ValueError:
            _log.warning("the lease of streamer %r cannot be read", streamer)
