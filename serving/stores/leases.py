"""Live leases and takedowns as every backend keeps them: what changes them, and what is read of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, Protocol

from contracts.settings import LiveSettings, ServingSettings


@dataclass(frozen=True)
class LeaseDetails:
    """What is shown of a broadcast."""

    title: str | None = None
    category: str | None = None
    language: str | None = None
    min_age: int | None = None

    def to_json(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: bytes) -> "LeaseDetails":
        """What a later version says beside is left out: workers are replaced one by one."""
        said = json.loads(text)
        return cls(said.get("title"), said.get("category"), said.get("language"), said.get("min_age"))


@dataclass(frozen=True)
class Lease:
    """The broadcast that is on, until its time is over; times are unix seconds of the store's clock."""

    broadcast_id: int
    started_at: float
    expires_at: float
    details: LeaseDetails = field(default_factory=LeaseDetails)


@dataclass(frozen=True)
class Renewal:
    """A broadcast begins or is still on.

    Args:
        event_time: Of what is said of the broadcast: the latest word holds.
        details: None leaves what is known.
        seen_at: When the store's server received the event: the lease lasts from then; None is now.
    """

    streamer_id: int
    broadcast_id: int
    started_at: float
    event_time: float
    details: LeaseDetails | None = None
    seen_at: float | None = None


@dataclass(frozen=True)
class Ending:
    """A broadcast has ended; None is whichever is on."""

    streamer_id: int
    broadcast_id: int | None


@dataclass(frozen=True)
class LeaseTerms:
    """How long leases last, and how much is kept."""

    lease_seconds: float
    ended_memory_seconds: float
    changes_length: int

    @classmethod
    def of(cls, serving: ServingSettings, live: LiveSettings) -> "LeaseTerms":
        return cls(serving.lease_seconds, live.ended_memory_minutes * 60, live.changes_length)


class LiveReport(NamedTuple):
    """What a batch of events did: `stale` ones came too late to mean anything."""

    started: int = 0
    renewed: int = 0
    ended: int = 0
    stale: int = 0

    def plus(self, other: "LiveReport") -> "LiveReport":
        return LiveReport(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class FeedEntry(NamedTuple):
    """One entry of a stream; `received_at` is the server's clock, where the backend knows it."""

    identity: str
    body: bytes
    received_at: float | None


@dataclass(frozen=True)
class LiveChanges:
    """What one entry of the feed of leases says: absolute states, so that reading it twice is harmless.

    Args:
        put: Leases that began, or whose details changed.
        renewed: New `expires_at` of leases that are otherwise as before.
        dropped: Streamers who ended.
    """

    put: Mapping[int, Lease]
    renewed: Mapping[int, float]
    dropped: frozenset[int]


@dataclass(frozen=True)
class VisibilityChange:
    """From a moment on, a content may be shown or not; the latest moment holds."""

    content_id: int
    event_time: float
    is_removed: bool

    def overrules(self, known: "VisibilityChange") -> bool:
        """Whether it is the later word; at one and the same moment the takedown holds."""
        return (self.event_time, self.is_removed) > (known.event_time, known.is_removed)


class FeedStore(Protocol):
    """Following streams, oldest first; positions are entry ids, `0` is the start."""

    def follow(self, stream: str, after: str, count: int, block_ms: int) -> list[FeedEntry]:
        """Up to `count` entries after a position; waits up to `block_ms` for the first (0: not at all)."""

    def last_position(self, stream: str) -> str: ...

    def holds(self, stream: str, position: str) -> bool:
        """Whether the stream still has that entry: if not, it was trimmed that far, or begun anew."""

    def position(self, key: str) -> str:
        """How far a consumer has come."""

    def consumed_at(self, key: str) -> float | None:
        """When the consumer last wrote its position, by the server's clock; None if it did not say."""

    def server_time(self) -> float:
        """Unix seconds of the clock that leases and entries are timed by."""


class LeaseStore(FeedStore, Protocol):
    """Who is live now.

    A broadcast with a later start replaces an earlier one, never the other way round; an ended one stays ended.
    """

    def apply_live(
        self, events: Sequence[Renewal | Ending], terms: LeaseTerms, position: str | None = None
    ) -> LiveReport:
        """Take in events in order, forget expired leases, and remember how far the consumer has come; atomic."""

    def leases(self, streamer_ids: Sequence[int]) -> list[Lease | None]: ...

    def all_leases(self) -> dict[int, Lease]:
        """Every lease; not one moment's: what changes meanwhile is in the feed after the position read before."""


class TakedownStore(FeedStore, Protocol):
    """Contents that left the catalogue, or came back, since its last refresh."""

    def apply_visibility(
        self, changes: Sequence[VisibilityChange], ttl_seconds: float, length: int, position: str | None = None
    ) -> int:
        """Take in changes, latest event first, forget expired ones; returns how many were news; atomic."""

    def all_visibility(self) -> list[VisibilityChange]: ...


def record(broadcast_id: int, started_at: float, event_time: float, details: str) -> str:
    """A lease without its end as the store writes it: broadcast, two times in milliseconds, details as JSON."""
    return f"{broadcast_id} {milliseconds(started_at)} {milliseconds(event_time)} {details}"


def lease_of(text: bytes, expires_at: float) -> Lease:
    """The lease of a record.

    Raises:
        ValueError: it is no record.
    """
    broadcast, started, _, details = text.split(b" ", 3)
    return Lease(int(broadcast), int(started) / 1000, expires_at, LeaseDetails.from_json(details or b"{}"))


def milliseconds(seconds: float) -> int:
    """Times as the store writes them."""
    return round(seconds * 1000)


def live_changes(body: bytes) -> LiveChanges:
    """An entry of the feed: a line per streamer, `+streamer expiry record`, `=streamer expiry` or `-streamer`.

    Raises:
        ValueError: it is no such entry.
    """
    put: dict[int, Lease] = {}
    renewed: dict[int, float] = {}
    dropped: set[int] = set()
    for line in body.split(b"\n"):
        kind, words = line[:1], line[1:].split(b" ", 2)
        streamer = int(words[0])
        if kind == b"+":
            put[streamer] = lease_of(words[2], int(words[1]) / 1000)
        elif kind == b"=":
            renewed[streamer] = int(words[1]) / 1000
        else:
            dropped.add(streamer)
    return LiveChanges(put, renewed, frozenset(dropped))


def merged(changes: Iterable[LiveChanges]) -> LiveChanges:
    """Several entries as one; of a streamer the last word holds."""
    put: dict[int, Lease] = {}
    renewed: dict[int, float] = {}
    dropped: set[int] = set()
    for change in changes:
        for streamer in change.dropped:
            put.pop(streamer, None)
            renewed.pop(streamer, None)
        dropped |= change.dropped
        renewed.update(change.renewed)
        put.update(change.put)
        for streamer in change.put:
            renewed.pop(streamer, None)
    return LiveChanges(put, renewed, frozenset(dropped))


def visibility_changes(body: bytes) -> list[VisibilityChange]:
    """An entry of the feed of takedowns: a line per content, `content milliseconds 1|0`, 1 for removed.

    Raises:
        ValueError: it is no such entry.
    """
    rows = (line.split(b" ") for line in body.split(b"\n"))
    return [VisibilityChange(int(content), int(at) / 1000, removed == b"1") for content, at, removed in rows]
