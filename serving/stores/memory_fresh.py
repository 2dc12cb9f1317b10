"""The memory twin of fresh contents."""

from collections.abc import Callable, Sequence

from contracts import redis_keys
from serving.stores.fresh import FreshChange
from serving.stores.memory_feeds import Entries, MemoryFeeds


class MemoryFresh(MemoryFeeds):
    """The part of the memory store that holds fresh contents."""

    def __init__(self, clock: Callable[[], float], streams: dict[str, Entries]) -> None:
        super().__init__(clock, streams)
        self._fresh: dict[int, bytes] = {}

    def apply_fresh(self, change: FreshChange, feed_length: int) -> bool:
        if self.position(redis_keys.FRESH_POSITION) != change.after:
            return False
        self._positions[redis_keys.FRESH_POSITION] = (change.position, self._clock())
        self._fresh.update(change.put)
        for content in change.dropped:
            self._fresh.pop(content, None)
        ids = [str(content) for content in (*change.put, *change.dropped)]
        self._tell(redis_keys.FRESH_CHANGES, [" ".join(ids)] if ids else [], feed_length)
        return True

    def fresh_items(self, content_ids: Sequence[int] | None = None) -> dict[int, bytes]:
        if content_ids is None:
            return dict(self._fresh)
        return {content: self._fresh[content] for content in content_ids if content in self._fresh}
