"""The one protocol through which the online path reaches its state.

Every method raises `StoreUnavailableError` when the store does not answer in time. Keys come from
`contracts.redis_keys`; times to live are seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from contracts.payload import Ids

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True)
class UserRow:
    """What one request needs to know of its user, read in one round trip.

    Args:
        info: What the generation says of itself; empty when it has expired.
        packed: The user's list on the surface, or None.
        segment: The user's segment in that generation, or None.
        seen: (N,) content ids.
        hidden_streamers: (N,) streamer ids that the user hid or blocked.
        hidden_contents: (N,) content ids.
    """

    info: Mapping[str, str]
    packed: bytes | None
    segment: str | None
    seen: Ids
    hidden_streamers: Ids
    hidden_contents: Ids


class Listed(NamedTuple):
    """How many lists of users there were, and how many entries that say what they were taken for, such as segments."""

    lists: int
    profiles: int


class GenerationStore(Protocol):
    """Published generations: written beside the old one, then one pointer flips."""

    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        """Register a generation that is about to be written, so that it is swept if its publish dies."""

    def write_hashes(self, generation: str, hashes: Mapping[str, Fields], ttl_seconds: int) -> None:
        """Add fields to hashes of a generation, in one round trip, and set the time to live of each."""

    def beat(self, generation: str, heartbeat_seconds: int) -> None:
        """Say that the publish of this generation is still at work."""

    def flip(self, generation: str, info: Mapping[str, str], ttl_seconds: int) -> None:
        """Serve this generation from now on: pointer and history change together.

        Raises:
            PublishOvertakenError: its heartbeat has stopped, so somebody may have swept it.
        """

    def rollback(self) -> str:
        """Serve the generation before the current one; returns its name.

        Raises:
            NoGenerationError: there is none, or it has expired.
        """

    def sweep(self) -> list[str]:
        """Delete every generation that is neither served, nor previous, nor being written; returns their names."""

    def current_generation(self) -> str | None: ...

    def user_row(self, generation: str, surface: str, user_id: int | None) -> UserRow: ...

    def segment_list(self, generation: str, surface: str, segment: str) -> bytes | None: ...

    def target_list(self, generation: str, surface: str, target_id: int) -> bytes | None:
        """The packed list that goes with a streamer or a content, the same for every user."""


class UserStore(Protocol):
    """What users have seen and hidden."""

    def add_seen(self, seen: Mapping[int, Mapping[int, float]], oldest: float, ttl_seconds: int) -> None:
        """Remember contents per user with the time they were seen; forget those before `oldest` (unix seconds)."""

    def add_hidden(self, hidden: Mapping[int, Sequence[str]], ttl_seconds: int) -> None:
        """Remember `streamer:ID` and `content:ID` per user."""


class ErasureStore(Protocol):
    """Users who were erased: what is known of them goes, and a tombstone stays."""

    def put_tombstones(self, tombstones: Mapping[int, tuple[str, int]]) -> None:
        """Remember per user since when they are erased, for so many seconds; whoever reads obeys it."""

    def tombstone(self, user_id: int) -> str | None:
        """Since when a user is erased."""

    def drop_listed(self, user_ids: Sequence[int]) -> Listed:
        """Delete the users' lists and profiles in every generation: served, kept or being written."""

    def drop_keys(self, keys: Sequence[str | bytes]) -> int:
        """Delete keys; how many there were."""

    def search_stream(self, stream: str, part: bytes, after: str) -> tuple[str | None, list[tuple[str, bytes]]]:
        """Of the next entries after an id (`0`: from the start) those with these bytes in them.

        Before them the last id that was looked at, where to go on; None at the end.
        """

    def drop_entries(self, stream: str, entries: Sequence[str]) -> int:
        """Delete entries of a stream by their ids; how many there were."""


class PublishStore(GenerationStore, ErasureStore, Protocol):
    """What a publish needs."""


class LeaseStore(Protocol):
    """Who is live now."""

    def put_leases(self, leases: Mapping[int, bytes], ttl_seconds: float) -> None: ...

    def drop_lease(self, streamer_id: int) -> bool:
        """End a lease; says whether there was one."""

    def leases(self, streamer_ids: Sequence[int]) -> list[bytes | None]: ...


class BanditStore(Protocol):
    """Immutable posterior epochs per context, and which one is current."""

    def posteriors(self, surface: str, segment: str) -> bytes | None: ...

    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None: ...

    def put_epoch(self, context: tuple[str, str], epoch: int, value: bytes, ttl_seconds: int) -> bool:
        """Write an epoch and make it current, unless it already exists; says whether it was written."""


class StreamStore(Protocol):
    """Streams of events, oldest first, bounded in length."""

    def append(self, stream: str, entry: bytes, max_length: int) -> None: ...

    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        """Up to `count` entries after an entry id; `0` reads from the start."""


class Store(GenerationStore, UserStore, ErasureStore, LeaseStore, BanditStore, StreamStore, Protocol):
    """All of it."""
