"""A stream read from end to end for a table, whatever is in it; then what is old is let go."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

from contracts.errors import EventError
from contracts.settings import Settings
from serving.stores.event_log import START, EventLog, LogEntry

T = TypeVar("T")
_ENTRIES_AT_ONCE: Final = 1_000
_MILLISECONDS_PER_HOUR: Final = 3_600_000


class Drained:
    """One reading of a stream.

    `unreadable` counts the entries that are no event; `begins` is the ISO time of the oldest entry.
    """

    def __init__(self, log: EventLog, stream: str) -> None:
        self._log, self._stream = log, stream
        self.unreadable = 0
        self.begins: str | None = None

    def read(self, decode: Callable[[LogEntry], T]) -> Iterator[T]:
        """Every entry that can be read, oldest first.

        Args:
            decode: Raises `EventError` for what is no event.
        """
        page = self._log.read_from(self._stream, START, _ENTRIES_AT_ONCE)
        if page:
            self.begins = datetime.fromtimestamp(page[0].at_ms / 1_000, UTC).isoformat()
        while page:
            for entry in page:
                try:
                    yield decode(entry)
                except EventError:
                    self.unreadable += 1
            last = page[-1].id
            page = [one for one in self._log.read_from(self._stream, last, _ENTRIES_AT_ONCE) if one.id != last]

    def trim(self, settings: Settings) -> None:
        """Let go what is older than a late drain needs; where a learner reads the stream, it does so itself."""
        if settings.bandit.updates == "daily":
            kept_ms = round(settings.serving.stream_keep_hours * _MILLISECONDS_PER_HOUR)
            self._log.trim(self._stream, self._log.seal(self._stream) - kept_ms)
