"""Feedback as columns, held while a slate may still be judged by it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.feedback_events import Feedback
from contracts.names import FeedbackAction
from serving.learning.slates import Ids, Requests, request_code
from serving.stores.event_log import LogEntry

ACTIONS: Final = tuple(FeedbackAction)
"""Codes of actions are places in it."""


@dataclass(frozen=True)
class FeedbackColumns:
    """M events in stream order.

    Args:
        requests: (M,)
        times_ms: (M,) when they arrived.
        users: (M,) 0 where nobody is signed in.
        has_user: (M,)
        items: (M,)
        actions: (M,) codes.
        seconds: (M,) watched; 0 where there are none.
    """

    requests: Requests
    times_ms: Ids
    users: Ids
    has_user: npt.NDArray[np.bool_]
    items: Ids
    actions: npt.NDArray[np.uint8]
    seconds: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times_ms)

    @classmethod
    def of(cls, read: Sequence[tuple[LogEntry, Feedback]]) -> "FeedbackColumns":
        events = [event for _, event in read]
        return cls(
            np.array([request_code(event.request_id) for event in events], np.uint64),
            np.array([entry.at_ms for entry, _ in read], np.int64),
            np.array([event.user_id or 0 for event in events], np.int64),
            np.array([event.user_id is not None for event in events], bool),
            np.array([event.item_id for event in events], np.int64),
            np.array([ACTIONS.index(event.action) for event in events], np.uint8),
            np.array([event.watched_seconds or 0.0 for event in events], np.float64),
        )

    def where(self, mask: npt.NDArray[np.bool_]) -> "FeedbackColumns":
        """The rows of a mask."""
        return FeedbackColumns(*(getattr(self, each.name)[mask] for each in fields(self)))

    def plus(self, others: "FeedbackColumns") -> "FeedbackColumns":
        """These, then the others."""
        return FeedbackColumns(
            *(np.concatenate([getattr(self, each.name), getattr(others, each.name)]) for each in fields(self))
        )

    def is_action(self, *actions: FeedbackAction) -> npt.NDArray[np.bool_]:
        """(M,)"""
        return np.isin(self.actions, [ACTIONS.index(action) for action in actions])
