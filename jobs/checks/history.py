"""A partition's rows and distributions against those of the days before."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.names import Check
from contracts.schema import Table
from contracts.settings import ChecksSettings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import VIEW_VALUE, WATCH_EVENT
from jobs.checks.results import Finding
from jobs.checks.rows import batches

Bins = Callable[[pa.Array, str], pa.Array]
"""Values and the platform's time zone to the bin of each."""

_SECONDS: Final = (1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0)
_TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 10))


def _between(edges: Sequence[float]) -> Bins:
    return lambda values, _: pa.array(np.searchsorted(edges, values.to_numpy(zero_copy_only=False), side="right"))


def _hour(times: pa.Array, time_zone: str) -> pa.Array:
    return pc.hour(times.cast(pa.timestamp("us", tz=time_zone)))


DISTRIBUTIONS: Final[Mapping[str, Mapping[str, Bins]]] = {
    WATCH_EVENT.name: {
        c.WATCHED_SECONDS: _between(_SECONDS),
        c.CONTENT_KIND: lambda kinds, _: kinds,
        c.EVENT_TIME: _hour,
    },
    VIEW_VALUE.name: {c.VALUE: _between(_TENTHS)},
}
"""What is compared, by table and column: what people watch, when and for how long, and what that is worth."""


@dataclass(frozen=True)
class History:
    """Snapshots of the days before, oldest first."""

    snapshots: Sequence[Snapshot]
    settings: ChecksSettings

    @classmethod
    def of(cls, warehouse: Warehouse, table: Table, day: date, settings: ChecksSettings) -> "History":
        """The partitions of the trailing days that exist."""
        before = (day - timedelta(days=back) for back in range(settings.history_days, 0, -1))
        found = (warehouse.current(table, each) for each in before)
        return cls([snapshot for snapshot in found if snapshot is not None], settings)

    @property
    def is_long_enough(self) -> bool:
        return len(self.snapshots) >= self.settings.min_history_days


def row_count(snapshot: Snapshot, history: History) -> Finding:
    """Rows against the median day's."""
    settings = history.settings
    usual = median([day.rows for day in history.snapshots]) if history.is_long_enough else 0.0
    if usual < settings.min_rows:
        return Finding(Check.ROW_COUNT, snapshot.rows, comparable=False)
    lower, upper = usual * settings.row_ratio_lower, usual * settings.row_ratio_upper
    return Finding(Check.ROW_COUNT, snapshot.rows, lower=lower, upper=upper)


def drifts(table: Table, snapshot: Snapshot, history: History, time_zone: str) -> Iterator[Finding]:
    """The population stability index of each main distribution against that of the days before, pooled."""
    bins, settings = DISTRIBUTIONS.get(table.name, {}), history.settings
    before = sum(day.rows for day in history.snapshots)
    if not bins:
        return
    if not history.is_long_enough or min(snapshot.rows, before) < settings.min_drift_rows:
        for column in bins:
            yield Finding(Check.DRIFT, 0.0, column, comparable=False)
        return
    now, usual = (_counts(table, found, bins, time_zone) for found in ([snapshot], history.snapshots))
    for column in bins:
        yield Finding(Check.DRIFT, stability_index(now[column], usual[column]), column, upper=settings.max_drift)


def stability_index(now: Mapping[object, int], usual: Mapping[object, int]) -> float:
    """Population stability index: the sum over bins of (p - q) ln(p / q).

    Half a row is added to every bin of either side, so that an empty one is finite.
    """
    found = set(now) | set(usual)
    total_now, total_usual = (sum(side.values()) + len(found) / 2 for side in (now, usual))
    shares = [((now.get(each, 0) + 0.5) / total_now, (usual.get(each, 0) + 0.5) / total_usual) for each in found]
    return math.fsum((p - q) * math.log(p / q) for p, q in shares)


def _counts(
    table: Table, snapshots: Sequence[Snapshot], bins: Mapping[str, Bins], time_zone: str
) -> dict[str, Counter[object]]:
    """Rows by bin, for each column."""
    counts: dict[str, Counter[object]] = {column: Counter() for column in bins}
    for snapshot in snapshots:
        for batch in batches(table, snapshot, list(bins)):
            for column, bins_of in bins.items():
                found = pc.value_counts(bins_of(batch.column(column), time_zone))
                counts[column].update({entry["values"]: entry["counts"] for entry in found.to_pylist()})
    return counts
