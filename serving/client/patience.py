"""How often a call is tried."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from serving.client.calls import Call, Outcome, retry_after_seconds

_ASKS_FOR_PATIENCE: Final = {429, 503}
_LOST: Final = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)
"""The connection failed. An answer that does not come in time is not among them: asking again would double the load."""


@dataclass(frozen=True)
class Patience:
    """Only what may be repeated is: after a lost connection, or when the edge says when to come again.

    Args:
        retries: After the first attempt.
        backoff_seconds: Before the first retry after a lost connection; doubled each time.
        max_pause_seconds: Who is asked to wait longer gets the error at once.
    """

    retries: int = 2
    backoff_seconds: float = 0.1
    max_pause_seconds: float = 5.0

    def pause_seconds(self, call: Call[Any], attempt: int, outcome: Outcome) -> float | None:
        """How long to wait before the next attempt; None where there is none.

        Args:
            attempt: 1 for the first.
        """
        if attempt > self.retries or not call.is_repeatable:
            return None
        if isinstance(outcome, httpx.TransportError):
            return self.backoff_seconds * 2 ** (attempt - 1) if isinstance(outcome, _LOST) else None
        pause = retry_after_seconds(outcome) if outcome.status_code in _ASKS_FOR_PATIENCE else None
        return pause if pause is not None and pause <= self.max_pause_seconds else None
