"""The memory twin of feeds, leases and takedowns: what the scripts say, in Python."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts import redis_keys
from serving.stores.leases import (
    Ending,
    FeedEntry,
    Lease,
    LeaseDetails,
    LeaseTerms,
    LiveReport,
    Renewal,
    VisibilityChange,
    milliseconds,
    record,
)

START: Final = "0"
Entries = list[tuple[int, bytes]]


@dataclass(frozen=True)
class _Known:
    """A lease with the time of its details."""

    lease: Lease
    event_time: float


class MemoryFeeds:
    """The part of the memory store that lives by events.

    Args:
        clock: Seconds; leases are timed by it.
        streams: The store's streams.
    """

    def __init__(self, clock: Callable[[], float], streams: dict[str, Entries]) -> None:
        self._clock, self._streams = clock, streams
        self._live: dict[int, _Known] = {}
        self._ended: dict[tuple[int, int], float] = {}
        self._visibility: dict[int, tuple[VisibilityChange, float]] = {}
        self._positions: dict[str, tuple[str, float]] = {}

    def follow(self, stream: str, after: str, count: int, block_ms: int) -> list[FeedEntry]:  # noqa: ARG002  no waiting
        entries = self._streams.get(stream, [])
        start = bisect_right(entries, int(after), key=lambda entry: entry[0])
        return [FeedEntry(str(identity), body, None) for identity, body in entries[start : start + count]]

    def last_position(self, stream: str) -> str:
        entries = self._streams.get(stream)
        return str(entries[-1][0]) if entries else START

    def holds(self, stream: str, position: str) -> bool:
        return any(str(identity) == position for identity, _ in self._streams.get(stream, []))

    def position(self, key: str) -> str:
        return self._positions[key][0] if key in self._positions else START

    def consumed_at(self, key: str) -> float | None:
        return self._positions[key][1] if key in self._positions else None

    def server_time(self) -> float:
        return self._clock()

    def apply_live(
        self, events: Sequence[Renewal | Ending], terms: LeaseTerms, position: str | None = None
    ) -> LiveReport:
        now = self._clock()
        self._live = {streamer: known for streamer, known in self._live.items() if known.lease.expires_at > now}
        self._ended = {run: until for run, until in self._ended.items() if until > now}
        if position is not None:
            self._positions[redis_keys.LIVE_POSITION] = (position, now)
        before = dict(self._live)
        counts = dict.fromkeys(LiveReport._fields, 0)
        for event in events:
            counts[self._end(event, terms) if isinstance(event, Ending) else self._renew(event, terms)] += 1
        touched = {event.streamer_id for event in events}
        self._tell(redis_keys.LIVE_CHANGES, _live_lines(before, self._live, touched), terms.changes_length)
        return LiveReport(**counts)

    def leases(self, streamer_ids: Sequence[int]) -> list[Lease | None]:
        alive = {streamer: lease for streamer, lease in self.all_leases().items() if lease.expires_at > self._clock()}
        return [alive.get(int(streamer)) for streamer in streamer_ids]

    def all_leases(self) -> dict[int, Lease]:
        return {streamer: known.lease for streamer, known in self._live.items()}

    def apply_visibility(
        self, changes: Sequence[VisibilityChange], ttl_seconds: float, length: int, position: str | None = None
    ) -> int:
        now = self._clock()
        self._visibility = {content: known for content, known in self._visibility.items() if known[1] > now}
        if position is not None:
            self._positions[redis_keys.CONTENT_POSITION] = (position, now)
        lines = []
        for change in changes:
            known = self._visibility.get(change.content_id)
            if known is None or change.overrules(known[0]):
                self._visibility[change.content_id] = (change, now + ttl_seconds)
                lines.append(f"{change.content_id} {milliseconds(change.event_time)} {int(change.is_removed)}")
        self._tell(redis_keys.CONTENT_CHANGES, lines, length)
        return len(lines)

    def all_visibility(self) -> list[VisibilityChange]:
        return [change for change, _ in self._visibility.values()]

    def _end(self, event: Ending, terms: LeaseTerms) -> str:
        known = self._live.get(event.streamer_id)
        broadcast = event.broadcast_id
        if broadcast is None and known is not None:
            broadcast = known.lease.broadcast_id
        if broadcast is None:
            return "stale"
        self._ended.setdefault((event.streamer_id, broadcast), self._clock() + terms.ended_memory_seconds)
        if known is None or known.lease.broadcast_id != broadcast:
            return "stale"
        del self._live[event.streamer_id]
        return "ended"

    def _renew(self, event: Renewal, terms: LeaseTerms) -> str:
        now = self._clock()
        expiry = min(now if event.seen_at is None else event.seen_at, now) + terms.lease_seconds
        known = self._live.get(event.streamer_id)
        if (event.streamer_id, event.broadcast_id) in self._ended or expiry <= now:
            return "stale"
        if known is None or known.lease.broadcast_id != event.broadcast_id:
            if known is not None and _order(event) <= (known.lease.started_at, known.event_time):
                return "stale"
            lease = Lease(event.broadcast_id, event.started_at, expiry, event.details or LeaseDetails())
            self._live[event.streamer_id] = _Known(lease, event.event_time)
            return "started"
        # Never longer than from now on, also where the clock was set back.
        until = min(max(known.lease.expires_at, expiry), now + terms.lease_seconds)
        self._live[event.streamer_id] = _renewed(known, event, until)
        return "renewed"

    def _tell(self, feed: str, lines: list[str], length: int) -> None:
        if lines:
            entries = self._streams.setdefault(feed, [])
            entries.append((entries[-1][0] + 1 if entries else 1, "\n".join(lines).encode()))
            del entries[:-length]


def _order(event: Renewal) -> tuple[float, float]:
    return (event.started_at, event.event_time)


def _renewed(known: _Known, event: Renewal, until: float) -> _Known:
    lease = replace(known.lease, expires_at=until, started_at=min(known.lease.started_at, event.started_at))
    if event.details is None or event.event_time < known.event_time:
        return _Known(lease, known.event_time)
    return _Known(replace(lease, details=event.details), event.event_time)


def _live_lines(before: dict[int, _Known], after: dict[int, _Known], touched: set[int]) -> list[str]:
    lines = []
    for streamer in touched:
        was, known = before.get(streamer), after.get(streamer)
        if known is None:
            lines.extend([f"-{streamer}"] if was is not None else [])
            continue
        if was == known:
            continue
        expiry = milliseconds(known.lease.expires_at)
        if was is not None and replace(was.lease, expires_at=0) == replace(known.lease, expires_at=0):
            lines.append(f"={streamer} {expiry}")
        else:
            text = record(
                known.lease.broadcast_id, known.lease.started_at, known.event_time, known.lease.details.to_json()
            )
            lines.append(f"+{streamer} {expiry} {text}")
    return lines
