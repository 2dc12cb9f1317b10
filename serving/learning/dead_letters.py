"""Entries that no reader understands are put aside, where somebody can look at them."""

import json
from typing import Final

from contracts.errors import EventError
from contracts.names import dead_letters
from serving.stores.event_log import EventLog, LogEntry

_KEPT_BYTES: Final = 2_000


def bury(log: EventLog, stream: str, entry: LogEntry, error: EventError, max_length: int) -> None:
    """Append what was found and why to the stream's dead-letter stream, which is capped.

    After a kill an entry may be buried again: its id says that it is the same.
    """
    body = entry.body[:_KEPT_BYTES].decode("utf-8", "backslashreplace")
    letter = {"id": entry.id, "reason": str(error), "body": body}
    log.append(dead_letters(stream), json.dumps(letter).encode(), max_length)
