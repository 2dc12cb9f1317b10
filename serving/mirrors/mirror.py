"""What every mirror is, and the following of a feed that most have in common."""

from collections.abc import Callable, Sequence
from typing import Protocol

from contracts.settings import MirrorSettings
from serving.stores.leases import FeedEntry, FeedStore

Clock = Callable[[], float]
"""Seconds, monotonic: a clock that is set back must not bring back what is over."""
_ENTRIES_AT_ONCE = 1_000


class Mirror(Protocol):
    """Something of the store held in memory; one thread refreshes it, any thread reads its current table."""

    name: str
    pause_seconds: float
    """Between two refreshes."""

    def refresh(self) -> None:
        """Make the table current; may wait a moment for news.

        Raises:
            StoreUnavailableError: the table stays what it was.
        """

    def failed(self, problem: str) -> None:
        """The last refresh failed: the table says so until one succeeds."""


class Tail:
    """The position of one reader in a feed of changes: first everything, then what changed.

    Args:
        feed: The stream of changes.
        load: Reads everything there is; its argument says whether the history went on since the last time (if not, the
            store lost its memory, or this reader was away for longer than the feed reaches back).
        apply: Takes in the bodies of new entries.
    """

    def __init__(
        self,
        store: FeedStore,
        feed: str,
        settings: MirrorSettings,
        clock: Clock,
        load: Callable[[bool], None],
        apply: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._store, self._feed, self._settings, self._clock = store, feed, settings, clock
        self._load, self._apply = load, apply
        self._position: str | None = None
        self._reload_at = float("-inf")

    def advance(self) -> None:
        """Read what is new; everything, the first time, after a failure and every so often."""
        if self._clock() >= self._reload_at:
            self._reload()
            return
        position = self._position or "0"
        try:
            entries = self._store.follow(self._feed, position, _ENTRIES_AT_ONCE, self._settings.block_ms)
            if entries:
                self._take(entries)
            elif position != "0" and not self._store.holds(self._feed, position):
                self._reload()
        except Exception:
            self._reload_at = float("-inf")
            raise

    def _take(self, entries: Sequence[FeedEntry]) -> None:
        self._apply([entry.body for entry in entries])
        self._position = entries[-1].identity

    def _reload(self) -> None:
        # The position is read before the rest: what changes in between is read again, which is harmless.
        position = self._store.last_position(self._feed)
        went_on = self._position in {None, "0"} or self._store.holds(self._feed, self._position or "0")
        self._load(went_on)
        self._position = position
        self._reload_at = self._clock() + self._settings.reload_seconds
