"""Slates out of the impression stream, as columns."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bandit.arms import arm_code
from contracts import columns as c
from contracts.errors import EventError, StreamrecError
from serving.impressions import Row, arm_set_from_json, chosen_arm, to_rows
from serving.stores.event_log import LogEntry

T = TypeVar("T")
Ids = npt.NDArray[np.int64]
Requests = npt.NDArray[np.uint64]


def request_code(request_id: str) -> int:
    """64 bits of a request id: in a window of ten million slates two are alike with a chance of 1 in 370,000."""
    return int.from_bytes(hashlib.blake2b(request_id.encode(), digest_size=8).digest())


@dataclass(frozen=True)
class LoggedSlate:
    """One entry of the stream.

    Args:
        positions: (P,) 1 is the top.
        items: (P,)
        arms: (P,) what won each position, and its parents.
    """

    request: int
    at_ms: int
    user_id: int | None
    context: tuple[str, str]
    positions: Ids
    items: Ids
    arms: tuple[str, ...]
    parents: tuple[tuple[str, ...], ...]


def slate_rows(entry: LogEntry) -> list[Row]:
    """The rows of `impression_v1` of an entry, at least one.

    Raises:
        EventError: it cannot be read.
    """
    return _or_event_error(entry, _rows)


def logged_slate(entry: LogEntry) -> LoggedSlate:
    """What an entry says.

    Raises:
        EventError: it cannot be read, or names an arm that no bandit has.
    """
    return _or_event_error(entry, _decode)


def _or_event_error(entry: LogEntry, decode: Callable[[LogEntry], T]) -> T:
    """What `decode` gives; whatever a corrupt entry leads to is one named error."""
    try:
        return decode(entry)
    except StreamrecError as error:
        raise EventError(f"impression: {error}") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise EventError(f"impression: {error!r}; mend what writes the stream") from error


def _rows(entry: LogEntry) -> list[Row]:
    rows = to_rows(entry.body)
    if not rows:
        raise ValueError("a slate without a position")
    return rows


def _decode(entry: LogEntry) -> LoggedSlate:
    rows = _rows(entry)
    first = rows[0]
    arm_set = arm_set_from_json(first[c.ARM_SET])
    chosen = [chosen_arm(arm_set, row) for row in rows]
    arms, parents = tuple(arm_set.arms[arm] for arm in chosen), tuple(arm_set.chain(arm) for arm in chosen)
    for arm in {*arms, *(parent for chain in parents for parent in chain)}:
        arm_code(arm)
    user = first[c.USER_ID]
    return LoggedSlate(
        request_code(first[c.REQUEST_ID]),
        entry.at_ms,
        int(np.int64(user)) if user is not None else None,
        (first[c.SURFACE], first[c.SEGMENT]),
        np.array([row[c.POSITION] for row in rows], np.int64),
        np.array([row[c.ITEM_ID] for row in rows], np.int64),
        arms,
        parents,
    )


@dataclass(frozen=True)
class Slates:
    """S slates in stream order, and their N positions.

    Args:
        requests: (S,)
        times_ms: (S,)
        users: (S,) 0 where nobody is signed in.
        has_user: (S,)
        contexts: (S,) surface and segment.
        slates: (N,) which slate a position belongs to.
        positions: (N,)
        items: (N,)
        arms: (N,)
        parents: (N,)
    """

    requests: Requests
    times_ms: Ids
    users: Ids
    has_user: npt.NDArray[np.bool_]
    contexts: Sequence[tuple[str, str]]
    slates: npt.NDArray[np.intp]
    positions: Ids
    items: Ids
    arms: Sequence[str]
    parents: Sequence[tuple[str, ...]]

    @classmethod
    def of(cls, logged: Sequence[LoggedSlate]) -> "Slates":
        return cls(
            np.array([slate.request for slate in logged], np.uint64),
            np.array([slate.at_ms for slate in logged], np.int64),
            np.array([slate.user_id or 0 for slate in logged], np.int64),
            np.array([slate.user_id is not None for slate in logged], bool),
            [slate.context for slate in logged],
            np.repeat(np.arange(len(logged)), [len(slate.items) for slate in logged]),
            np.concatenate([np.empty(0, np.int64), *(slate.positions for slate in logged)]),
            np.concatenate([np.empty(0, np.int64), *(slate.items for slate in logged)]),
            [arm for slate in logged for arm in slate.arms],
            [chain for slate in logged for chain in slate.parents],
        )


@dataclass(frozen=True)
class SeenRequests:
    """Requests that had a slate lately, and when: what tells repeated slates and late feedback from others.

    Args:
        requests: (R,) ascending.
        times_ms: (R,)
    """

    requests: Requests
    times_ms: Ids

    @classmethod
    def none(cls) -> "SeenRequests":
        return cls(np.empty(0, np.uint64), np.empty(0, np.int64))

    def plus(self, requests: Requests, times_ms: Ids) -> "SeenRequests":
        """With others, later ones; of a request in both the later holds."""
        everything = np.concatenate([requests[::-1], self.requests])
        found, first = np.unique(everything, return_index=True)
        return SeenRequests(found, np.concatenate([times_ms[::-1], self.times_ms])[first])

    def after(self, at_ms: int) -> "SeenRequests":
        """Those later than a time."""
        kept = self.times_ms > at_ms
        return SeenRequests(self.requests[kept], self.times_ms[kept])

    def times_of(self, requests: Requests, otherwise: int) -> Ids:
        """(N,) when each had its slate."""
        if not len(self.requests):
            return np.full(len(requests), otherwise, np.int64)
        places = np.searchsorted(self.requests, requests).clip(max=len(self.requests) - 1)
        return np.where(self.requests[places] == requests, self.times_ms[places], otherwise)
