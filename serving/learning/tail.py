"""Reading a stream forward, and finding out when entries that were needed have been trimmed."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from serving.stores.event_log import START, EventLog, LogEntry

_PAGE: Final = 1_000
_MARK_EVERY: Final = 50
"""Entries; so many at most stay in the stream beyond what is needed."""


class Anchor(NamedTuple):
    """An entry that was in the stream when this was kept."""

    id: str
    at_ms: int


NOWHERE: Final = Anchor(START, 0)
"""Of a stream of which nothing has been read."""


class Tail:
    """Reads each entry once, in order. Every page begins with an entry that is known: if it is gone, so may be others.

    Args:
        log: Where the stream is.
        stream: Its name.
        first: What to begin with, itself included.
    """

    def __init__(self, log: EventLog, stream: str, first: Anchor) -> None:
        self._log, self._stream = log, stream
        self._known, self._is_read = first.id, False
        self._waiting: deque[LogEntry] = deque()
        self._marks: deque[Anchor] = deque()
        self._gaps: list[int | None] = []

    def through(self, until_ms: int) -> Iterator[LogEntry]:
        """The entries not read yet that are not later than a time."""
        while (entry := self.peek()) is not None and entry.at_ms <= until_ms:
            yield self._waiting.popleft()

    def peek(self) -> LogEntry | None:
        """The next entry, which stays the next."""
        if not self._waiting:
            self._read_page()
        return self._waiting[0] if self._waiting else None

    def anchor(self, bound_ms: int) -> Anchor:
        """An entry from which on everything after a time can be read again; those before it are forgotten."""
        while len(self._marks) > 1 and self._marks[1].at_ms <= bound_ms:
            self._marks.popleft()
        return self._marks[0] if self._marks else NOWHERE

    def take_gaps(self) -> list[int | None]:
        """Until when entries may be missing, for each gap found since last asked; None where nothing follows it."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def _read_page(self) -> None:
        page = self._log.read_from(self._stream, self._known, _PAGE)
        if self._known != START and (not page or page[0].id != self._known):
            if self._is_trimmed(page):
                self._gaps.append(page[0].at_ms if page else None)
                self._known = START
        elif self._is_read:
            page = page[1:]
        if page:
            self._marks.extend(Anchor(entry.id, entry.at_ms) for entry in page[::_MARK_EVERY])
            self._known, self._is_read = page[-1].id, True
            self._waiting.extend(page)
        else:
            self._is_read = self._known != START

    def _is_trimmed(self, following: list[LogEntry]) -> bool:
        """Whether a known entry went with all before it; else it alone was deleted, as `erase` does."""
        oldest = self._log.read_from(self._stream, START, 1)
        return not oldest or (bool(following) and oldest[0].id == following[0].id)
