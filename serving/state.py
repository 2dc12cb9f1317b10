"""What a worker holds in memory of everything that is not one user's: immutable, replaced as a whole, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bandit.posteriors import PosteriorEpoch
from contracts.payload import CandidateColumns, Ids
from serving.fresh.batch import Batch
from serving.fresh.index import FreshIndex
from serving.mirrors.live_table import LiveTable
from serving.newest import NewestContents
from serving.stores.catalogue import Catalogue

Context = tuple[str, str]
"""Surface and segment."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A published generation.

    Args:
        published_at: None where it does not say.
        segment_lists: By surface and segment; a list that cannot be read is a text that says why.
        batch: What the fresh lane needs to know of it.
    """

    name: str
    model_version: str
    published_at: datetime | None
    segment_lists: Mapping[Context, CandidateColumns | str]
    batch: Batch = field(default_factory=Batch)


@dataclass(frozen=True, slots=True)
class Published:
    """The generations that can be served.

    Args:
        current: Name of the one that new requests get; None before the first publish.
        generations: It and the one before it, by name: a page cursor may still ask for that.
        problem: Why this may be stale, or empty.
    """

    current: str | None
    generations: Mapping[str, Generation]
    problem: str = ""


class State(msgspec.Struct, frozen=True):
    """A worker's view of the platform, taken once per request.

    Args:
        posteriors: Current epoch by context of the bandit; a context without one has the prior.
        live: Who is live.
        live_now: Unix seconds of the store's clock, to which leases end.
        removed: (R,) contents that were taken down since the catalogue was read, ascending.
        fresh: What was published since the batch.
        newest: The newest representative content of each streamer.
        catalogue: Of the last batch.
        problems: Why something of this may be old.
    """

    published: Published
    posteriors: Mapping[Context, PosteriorEpoch]
    live: LiveTable
    live_now: float
    removed: Ids
    fresh: FreshIndex
    newest: NewestContents
    catalogue: Catalogue
    problems: tuple[str, ...] = ()
