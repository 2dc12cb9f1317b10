"""Nulls and ranges, read from the footers of a snapshot's Parquet files: no row is read."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow.parquet as pq

from contracts import columns as c
from contracts.names import Check
from contracts.schema import Table
from contracts.snapshots import Snapshot
from jobs.checks.results import Finding

_SHARE: Final = (0.0, 1.0)
_COUNT: Final = (0.0, None)
_PLACE: Final = (1.0, None)

RANGES: Final[Mapping[str, tuple[float, float | None]]] = {
    **dict.fromkeys((c.WATCHED_SECONDS, c.DURATION_SECONDS, c.OFFSET_SECONDS), _COUNT),
    **dict.fromkeys((c.VIEWS, c.VIEWERS, c.VALUED_VIEWS, c.VISITS, c.SUPPORT), _COUNT),
    **dict.fromkeys((c.USERS, c.IMPRESSIONS, c.PLAYS, c.STREAMER_RUN, c.SESSION_RUN), _COUNT),
    **dict.fromkeys((c.DISTINCT_DAYS, c.ACTIVE_DAYS, c.DISTINCT_STREAMERS), _COUNT),
    **dict.fromkeys((c.VALUE, c.WEIGHT, c.COMPLETION, c.MEAN_VALUE, c.VALUE_LOWER_BOUND), _SHARE),
    c.VALUED_RATE: _SHARE,
    **dict.fromkeys((c.LIVE_SHARE, c.RETURN_SHARE, c.SAME_STREAMER_SHARE, c.EXPECTED_SHARE), _SHARE),
    **dict.fromkeys((c.RANK, c.RETURN_RANK, c.DISCOVERY_RANK), _PLACE),
}
"""Where a column's values lie in whatever table it is."""


@dataclass
class _Column:
    """What the footers say of a column; of numbers only, lowest and highest."""

    rows: int = 0
    nulls: int = 0
    lowest: float = math.inf
    highest: float = -math.inf
    has_nan: bool = False

    def add(self, chunk: pq.ColumnChunkMetaData, is_number: bool) -> None:
        """Take in one row group. Spark writes a NaN as an extreme or writes no extremes then; Arrow passes over it."""
        statistics = chunk.statistics
        self.rows += chunk.num_values
        self.nulls += statistics.null_count
        if not is_number or statistics.null_count == chunk.num_values:
            return
        extremes = (statistics.min, statistics.max) if statistics.has_min_max else (math.nan, math.nan)
        self.has_nan = self.has_nan or any(math.isnan(extreme) for extreme in extremes)
        self.lowest, self.highest = min(self.lowest, extremes[0]), max(self.highest, extremes[1])


def footer_findings(table: Table, snapshot: Snapshot) -> Iterator[Finding]:
    """Nulls of the columns that must have none, and the extremes of those whose range is known."""
    nullable = {column.name: column.nullable for column in table.columns}
    for name, seen in _columns(snapshot).items():
        if seen.rows and not nullable.get(name, True):
            yield Finding(Check.NULLS, seen.nulls / seen.rows, name, upper=0.0)
        if name in RANGES and seen.nulls < seen.rows:
            lower, upper = RANGES[name]
            is_low = upper is None or seen.lowest < lower
            extreme = seen.lowest if is_low else seen.highest
            yield Finding(Check.RANGE, math.nan if seen.has_nan else extreme, name, lower, upper)


def _columns(snapshot: Snapshot) -> dict[str, _Column]:
    """Of flat columns: those of lists count their elements."""
    columns: dict[str, _Column] = {}
    for part in snapshot.path.glob("*.parquet"):
        metadata = pq.read_metadata(part)
        for group in range(metadata.num_row_groups):
            for place in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(place)
                name = chunk.path_in_schema
                if "." not in name and chunk.is_stats_set:
                    columns.setdefault(name, _Column()).add(chunk, name in RANGES)
    return columns
