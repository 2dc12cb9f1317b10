"""The one protocol through which the online path reaches its state.

Every method raises `StoreUnavailableError` when the store does not answer in time. Keys come from
`contracts.redis_keys`; times to live are seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True)
class Memory:
    """What keys take, by a sample of them."""

    keys: int
    size_bytes: int


class GenerationStore(Protocol):
    """Published generations: written beside the old one, then one pointer flips."""

    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        """Register a generation that is about to be written, so that it is swept if its publish dies."""

    def write_hashes(self, generation: str, hashes: Mapping[str, Fields], ttl_seconds: int) -> int:
        """Add fields to hashes of a generation and set the time to live of each; says how many fields are new.

        Threads may write at once.
        """

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

    def install_reader(self) -> str:
        """Make the script that reads lists as JSON callable for other languages; returns its SHA1."""

    def memory_of(self, generation: str, samples: int) -> Memory:
        """What the keys of a generation take, from so many of them drawn at random."""

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


class Store(GenerationStore, UserStore, LeaseStore, BanditStore, StreamStore, Protocol):
    """All of it."""
