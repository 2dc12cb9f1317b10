"""Who is live, as columns sorted by streamer: a look-up of a hundred streamers takes microseconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.payload import Ids
from serving.kernels import unexpired
from serving.stores.leases import Lease, LeaseDetails, LiveChanges

_NOTHING: Final = LeaseDetails()
Rows = npt.NDArray[np.intp]
Seconds = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class LiveTable:
    """The leases of L streamers at a moment; never changed, only replaced.

    Args:
        streamer_ids: (L,) ascending.
        broadcast_ids: (L,) the broadcast that is on.
        started_at: (L,) unix seconds.
        expires_at: (L,) unix seconds of the store's clock; a lease is over from then on.
        titles: (L,) None where unknown; so are categories and languages.
        min_ages: (L,) years; 0 for everybody.
        problem: Why the table may be old; empty while it is kept fresh.
    """

    streamer_ids: Ids
    broadcast_ids: Ids
    started_at: Seconds
    expires_at: Seconds
    titles: Words
    categories: Words
    languages: Words
    min_ages: npt.NDArray[np.int16]
    problem: str = ""

    def __len__(self) -> int:
        return len(self.streamer_ids)

    @classmethod
    def of(cls, leases: Mapping[int, Lease]) -> "LiveTable":
        """The table of some leases."""
        streamers = sorted(leases)
        chosen = [leases[streamer] for streamer in streamers]
        details = [lease.details for lease in chosen]
        return cls(
            np.array(streamers, np.int64),
            np.array([lease.broadcast_id for lease in chosen], np.int64),
            np.array([lease.started_at for lease in chosen], np.float64),
            np.array([lease.expires_at for lease in chosen], np.float64),
            _words([detail.title for detail in details]),
            _words([detail.category for detail in details]),
            _words([detail.language for detail in details]),
            np.array([detail.min_age or 0 for detail in details], np.int16),
        )

    def lookup(self, streamer_ids: Ids, now: float) -> Rows:
        """(K,) row of each streamer, -1 for who is not live.

        Args:
            streamer_ids: (K,) in any order.
            now: Unix seconds of the store's clock (`LiveMirror.now`).
        """
        return unexpired(self.streamer_ids, self.expires_at, streamer_ids, now)

    def live(self, now: float) -> Rows:
        """Rows of all who are live."""
        return np.flatnonzero(self.expires_at > now)

    def changed(self, changes: LiveChanges, now: float) -> "LiveTable":
        """The table after some changes, without the leases that are over; self where nothing is different."""
        table = self
        gone = changes.dropped | changes.put.keys()
        if gone:
            others = self.without(np.fromiter(gone, np.int64, len(gone)), now)
            table = others.joined(LiveTable.of(self.described(changes.put)))
        return table._renewed(changes.renewed)

    def take(self, rows: Rows | npt.NDArray[np.bool_]) -> "LiveTable":
        """Some rows, in that order."""
        return self._of_columns(column[rows] for column in self._columns())

    def joined(self, other: "LiveTable") -> "LiveTable":
        """Both tables' rows, sorted; no streamer may be in both."""
        if len(other) == 0:
            return self
        places = np.searchsorted(self.streamer_ids, other.streamer_ids)
        pairs = zip(self._columns(), other._columns(), strict=True)
        return self._of_columns(np.insert(mine, places, theirs) for mine, theirs in pairs)

    def without(self, streamer_ids: Ids, now: float) -> "LiveTable":
        """The rows of everybody else, but for the leases that are over."""
        keep = self.expires_at > now
        places = self._places(streamer_ids)
        keep[places[places >= 0]] = False
        return self.take(keep)

    def described(self, leases: Mapping[int, Lease]) -> dict[int, Lease]:
        """The leases; one that says nothing of its broadcast keeps what is known here: the store may have forgotten."""
        return {
            streamer: lease if lease.details != _NOTHING else replace(lease, details=self._details(streamer, lease))
            for streamer, lease in leases.items()
        }

    def _details(self, streamer: int, lease: Lease) -> LeaseDetails:
        (row,) = self._places(np.array([streamer], np.int64))
        if row < 0 or self.broadcast_ids[row] != lease.broadcast_id:
            return lease.details
        age = int(self.min_ages[row]) or None
        return LeaseDetails(self.titles[row], self.categories[row], self.languages[row], age)

    def _renewed(self, renewed: Mapping[int, float]) -> "LiveTable":
        if not renewed:
            return self
        places = self._places(np.fromiter(renewed, np.int64, len(renewed)))
        times = np.fromiter(renewed.values(), np.float64, len(renewed))
        expires_at = self.expires_at.copy()
        expires_at[places[places >= 0]] = times[places >= 0]
        return replace(self, expires_at=expires_at)

    def _places(self, streamer_ids: Ids) -> Rows:
        """(K,) row of each streamer, live or not; -1 where there is none."""
        if len(self) == 0:
            return np.full(len(streamer_ids), -1, np.intp)
        places = np.minimum(np.searchsorted(self.streamer_ids, streamer_ids), len(self) - 1)
        return np.where(self.streamer_ids[places] == streamer_ids, places, -1)

    def _columns(self) -> list[npt.NDArray[Any]]:
        return [getattr(self, name) for name in _COLUMNS]

    def _of_columns(self, columns: Iterable[npt.NDArray[Any]]) -> "LiveTable":
        made: dict[str, Any] = dict(zip(_COLUMNS, columns, strict=True))
        return LiveTable(**made, problem=self.problem)


_COLUMNS: Final = tuple(column.name for column in fields(LiveTable) if column.name != "problem")


def _words(values: Sequence[str | None]) -> Words:
    words = np.empty(len(values), object)
    words[:] = values
    return words
