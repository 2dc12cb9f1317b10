"""The one protocol through which the online path reaches its state.

Every method raises `StoreUnavailableError` when the store does not answer in time. Keys come from
`contracts.redis_keys`; times to live are seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from serving.stores.event_log import EventLog
from serving.stores.fresh import FreshStore
from serving.stores.hashes import Hashes
from serving.stores.leases import LeaseStore, TakedownStore
from serving.stores.user_reads import ReadPlan, UserRow


class MarkKey(StrEnum):
    """The families of a user's marks (`contracts.marks`)."""

    SEEN = "seen"
    PROGRESS = "progress"
    HIDDEN_CONTENTS = "hidden_contents"
    HIDDEN_STREAMERS = "hidden_streamers"


class Listed(NamedTuple):
    """How many lists of users there were, and how many entries that say what they were taken for, such as segments."""

    lists: int
    profiles: int


class Memory(NamedTuple):
    """What keys take, by a sample of them."""

    keys: int
    size_bytes: int


class GenerationStore(Protocol):
    """Published generations: written beside the old one, then one pointer flips."""

    def begin(self, generation: str, heartbeat_seconds: int) -> None:
        """Register a generation that is about to be written, so that it is swept if its publish dies."""

    def write_hashes(self, generation: str, hashes: Hashes, ttl_seconds: int) -> int:
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

    def kept_generations(self) -> list[str]:
        """The generations that can be served, newest first: the last flipped, and the one before it."""

    def generation_info(self, generation: str) -> Mapping[str, str]:
        """What a generation says of itself; empty when it has expired."""

    def segment_lists(self, generation: str, surface: str) -> Mapping[str, bytes]:
        """Packed lists by segment."""

    def newest_contents(self, generation: str) -> list[bytes]:
        """The parts of what `serving.newest` wrote; empty when the generation has expired."""


class UserStore(Protocol):
    """What one request reads, and what users have seen, begun and hidden."""

    def read(self, plan: ReadPlan) -> UserRow:
        """All that a request needs to know of its user and its targets, in one round trip."""

    def add_marks(
        self, key: MarkKey, marks: Mapping[int, Mapping[int, float]], oldest: float, most: int, ttl_seconds: int
    ) -> None:
        """Remember ids per user with unix seconds; the latest time of an id holds.

        Args:
            oldest: Marks before this unix second are forgotten when they are next merged.
            most: Marks kept per user; the oldest go first.
        """

    def drop_mark(self, key: MarkKey, user_id: int, identity: int) -> bool:
        """Forget one mark; says whether there was one."""


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


class StoredEpoch(NamedTuple):
    """An epoch's number and its packed state."""

    epoch: int
    packed: bytes


class BanditStore(Protocol):
    """Immutable posterior epochs per context, which one is current, and how far the learner of streams is."""

    def posteriors(self, surface: str, segment: str) -> bytes | None:
        """The current epoch, packed."""

    def all_posteriors(self, contexts: Sequence[tuple[str, str]]) -> list[bytes | None]:
        """What `posteriors` gives of each, in one round trip."""

    def posterior_epoch(self, surface: str, segment: str, epoch: int) -> bytes | None:
        """An epoch that another has followed, until it expires."""

    def put_epoch(
        self,
        context: tuple[str, str],
        packed: bytes,
        follows: StoredEpoch | None,
        ttl_seconds: int,
        keep_seconds: int | None = None,
    ) -> bool:
        """Make an epoch the current one, unless what it follows no longer is; says whether it was written.

        Args:
            follows: The current epoch, which stays readable for `ttl_seconds`; None where there is none.
            keep_seconds: How long the new one is current; None for as long as nothing follows it.
        """

    def learner(self) -> bytes | None:
        """The learner's state (`serving.learning.state`)."""

    def put_learner(self, state: bytes, follows: bytes | None) -> bool:
        """Replace the learner's state, unless it is no longer the one it follows; says whether it was written."""


class ResampleStore(UserStore, BanditStore, Protocol):
    """What lists of shared contexts are drawn from and written to."""

    def targets(self, generation: str, surface: str) -> Iterable[int]:
        """The contents or streamers that have a list of their own, in any order."""

    def put_sampled(self, lists: Mapping[tuple[str, str], bytes], ttl_seconds: int) -> None:
        """Write the slates of contexts, which are a surface and a segment or target each."""

    def sampled(self, surface: str, context: str) -> bytes | None:
        """The slate that was drawn last for a context."""


class StreamStore(EventLog, Protocol):
    """Streams of events, oldest first, bounded in length."""

    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        """Up to `count` entries after an entry id; `0` reads from the start."""

    def log_slate(self, request_id: str, entry: bytes, max_length: int, explain_seconds: int) -> None:
        """Append a slate to the impression stream, and remember for a while where it stands."""

    def served_slate(self, request_id: str) -> bytes | None:
        """The stream entry of a slate that was served lately."""


class Store(GenerationStore, ErasureStore, LeaseStore, TakedownStore, FreshStore, ResampleStore, StreamStore, Protocol):
    """All of it."""
