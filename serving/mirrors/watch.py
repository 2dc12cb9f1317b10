"""Whether the consumer behind a mirror is at work, and what time it is at the store."""

from contracts.settings import MirrorSettings
from serving.mirrors.mirror import Clock
from serving.stores.leases import FeedStore


class Watch:
    """Looks now and then: a feed without news says nothing of whether anybody would write them.

    Args:
        position_key: Where the consumer writes how far it has come, and that it is at work.
        command: What runs it.
    """

    def __init__(
        self, store: FeedStore, position_key: str, command: str, settings: MirrorSettings, clock: Clock
    ) -> None:
        self._store, self._position_key, self._command = store, position_key, command
        self._settings, self._clock = settings, clock
        self._offset, self._look_at = 0.0, float("-inf")
        self.problem = ""

    def now(self) -> float:
        """Unix seconds of the store's clock."""
        return self._clock() + self._offset

    def refresh(self) -> None:
        """Look, if it is time.

        Raises:
            StoreUnavailableError
        """
        if self._clock() < self._look_at:
            return
        self._offset = self._store.server_time() - self._clock()
        consumed_at = self._store.consumed_at(self._position_key)
        self.problem = "" if consumed_at is None else self._silence(self.now() - consumed_at)
        self._look_at = self._clock() + self._settings.watch_seconds

    def _silence(self, seconds: float) -> str:
        if seconds <= self._settings.silent_seconds:
            return ""
        return f"`python -m serving {self._command}` has not been at work for {seconds:.0f} s"
