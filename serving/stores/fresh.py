"""Fresh contents as every backend keeps them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contracts import redis_keys
from serving.stores.leases import FeedStore


@dataclass(frozen=True)
class FreshChange:
    """What one step of the consumer changes.

    Args:
        put: Content id -> item (`serving.fresh.item`).
        dropped: Contents that leave.
        after: How far the consumer had come: where another has gone on meanwhile, nothing is changed.
        position: How far it has come with this.
    """

    after: str
    position: str
    put: Mapping[int, bytes] = field(default_factory=dict)
    dropped: Collection[int] = ()


class FreshStore(FeedStore, Protocol):
    """Contents published or changed since the batch, with a feed of their ids in `redis_keys.FRESH_CHANGES`."""

    def apply_fresh(self, change: FreshChange, feed_length: int) -> bool:
        """Change items, tell the feed and move the position; atomic. False where another consumer was faster."""

    def fresh_items(self, content_ids: Sequence[int] | None = None) -> dict[int, bytes]:
        """Some items, or all; those that are not there are left out."""


def changed_ids(body: bytes) -> list[int]:
    """The contents that an entry of the feed names.

    Raises:
        ValueError: it is no such entry.
    """
    return [int(word) for word in body.split()]


FRESH_KEYS = [redis_keys.FRESH_ITEMS, redis_keys.FRESH_CHANGES, redis_keys.FRESH_POSITION]
