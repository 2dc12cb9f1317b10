"""The value of every view of a day in DuckDB, from the same files: the rival of `jobs view_valuation`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.duckdb_preferences import files
from contracts.clock import trailing_days
from contracts.names import ContentKind, WeightReason
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, WATCH_EVENT

_MACROS: Final = """
SET TimeZone = 'UTC';
CREATE OR REPLACE MACRO fixed(x) AS CAST(round_even(x * 1e7, 0) AS BIGINT);
CREATE OR REPLACE MACRO at_most(allowed, found) AS CASE WHEN found > allowed THEN allowed / found ELSE 1.0 END;
"""
_VIEWS: Final = """
CREATE OR REPLACE TEMP TABLE views AS
SELECT user_id, content_id, content_kind, CAST(event_time AS DATE) AS view_day, max(streamer_id) AS streamer_id,
    min(event_time) AS first_event_time, max(event_time) AS last_event_time,
    max(epoch_us(event_time) + CAST(round_even(watched_seconds * 1e6, 0) AS BIGINT)) AS last_end,
    sum(fixed(watched_seconds)) / 1e7 AS watched_seconds, bool_or(is_click) AS is_click,
    bool_or(logged_valued) AS logged_valued, max(dt) AS dt
FROM read_parquet({events}, hive_partitioning = true)
WHERE CAST(event_time AS DATE) > DATE '{day}' - {window_days}
GROUP BY user_id, content_id, content_kind, CAST(event_time AS DATE)
"""
_LENGTHS: Final = """
CREATE OR REPLACE TEMP TABLE lengths AS
WITH known AS (
    SELECT content_id, content_kind, duration_seconds FROM read_parquet({contents}) WHERE duration_seconds > 0
), edges AS (
    SELECT content_kind, quantile_cont(floor(duration_seconds), {shares}) AS edges FROM known GROUP BY content_kind
)
SELECT content_id, duration_seconds, len(list_filter(edges, lambda edge: duration_seconds > edge)) AS length_group
FROM known JOIN edges USING (content_kind)
"""
_WATCHED: Final = """
CREATE OR REPLACE TEMP TABLE watched AS
SELECT views.*, CASE WHEN duration_seconds IS NOT NULL THEN least(1.0, watched_seconds / duration_seconds) END
    AS completion, coalesce(completion, ln(1 + watched_seconds)) AS x, coalesce(length_group, -1) AS length_group
FROM views LEFT JOIN lengths USING (content_id)
"""
_STANDARD: Final = """
CREATE OR REPLACE TEMP TABLE standard AS
WITH sums AS (
    SELECT content_kind, length_group, count(*) AS n, sum(fixed(x)) / 1e7 AS total, sum(fixed(x * x)) / 1e7 AS squares
    FROM watched WHERE watched_seconds > 0 GROUP BY content_kind, length_group
), of_kind AS (
    SELECT *, sum(total) OVER kind / sum(n) OVER kind AS mean, sum(squares) OVER kind / sum(n) OVER kind AS square
    FROM sums WINDOW kind AS (PARTITION BY content_kind, length_group = -1)
), groups AS (
    SELECT content_kind, length_group, (total + {group_prior} * mean) / (n + {group_prior}) AS group_mean,
        CASE WHEN square - mean * mean > {min_deviation} ** 2 THEN sqrt(square - mean * mean) ELSE 1.0 END AS deviation
    FROM of_kind
)
SELECT watched.*, (x - coalesce(group_mean, 0.0)) / coalesce(deviation, 1.0) AS z
FROM watched LEFT JOIN groups USING (content_kind, length_group)
"""
_WEIGHTS: Final = """
CREATE OR REPLACE TEMP TABLE weighted AS
WITH totals AS (
    SELECT user_id, view_day, sum(fixed(watched_seconds)) / 1e7 AS seconds,
        sum(fixed(watched_seconds)) FILTER (content_kind = '{live}') / 1e7 AS live_seconds,
        (max(last_end) - min(epoch_us(first_event_time))) / 1e6 AS elapsed,
        count_if(watched_seconds > 0 AND watched_seconds <= {near_zero}) AS skips,
        count_if(watched_seconds > 0) AS plays,
        min(streamer_id) FILTER (watched_seconds > 0) = max(streamer_id) FILTER (watched_seconds > 0) AS is_one_streamer
    FROM views WHERE view_day >= DATE '{day}' - {late_days} GROUP BY user_id, view_day
), limits AS (
    SELECT standard.*, {limits} FROM standard JOIN totals USING (user_id, view_day) WHERE dt = '{day}'
)
SELECT *, least(1.0, {names}) AS weight, CASE {reasons} END AS weight_reason FROM limits
"""
_VALUES: Final = """
COPY (
    WITH users AS (
        SELECT user_id, sum(fixed(z)) / 1e7 / (count(*) + {user_prior}) AS usual FROM standard WHERE watched_seconds > 0
        GROUP BY user_id
    ), contents AS (
        SELECT content_id, content_kind, sum(fixed(z)) / 1e7 / (count(*) + {prior}) AS usual FROM standard
        WHERE watched_seconds > 0 GROUP BY content_id, content_kind
    ), compared AS (
        SELECT weighted.*, z - coalesce(users.usual, 0.0) AS user_relative,
            z - coalesce(contents.usual, 0.0) AS content_relative,
            CASE WHEN watched_seconds > 0
                THEN 1 / (1 + exp(-(user_relative + content_relative) / 2)) ELSE 0.0 END AS value
        FROM weighted LEFT JOIN users USING (user_id) LEFT JOIN contents USING (content_id, content_kind)
    )
    SELECT user_id, content_id, content_kind, streamer_id, view_day, first_event_time, last_event_time, watched_seconds,
        completion, is_click, user_relative, content_relative, value, logged_valued,
        coalesce(logged_valued, value >= {threshold}) AS is_valued, weight,
        CASE WHEN weight < 1 THEN weight_reason END AS weight_reason
    FROM compared
) TO '{output}/values.parquet'
"""


@dataclass(frozen=True)
class DuckdbValuation:
    """One day's values, written to `output` as Parquet."""

    connection: duckdb.DuckDBPyConnection
    warehouse: Warehouse
    settings: Settings
    output: Path

    def run(self, day: date) -> None:
        """Value the views that have a row on the day, the last of the log."""
        valuation, late_days = self.settings.valuation, self.settings.platform.late_days
        groups, window_days = valuation.length_groups, max(valuation.window_days, late_days + 1)
        limits = self._limits()
        events = files(self.warehouse, WATCH_EVENT, trailing_days(day, window_days + 1))
        known = [dt for dt in self.warehouse.dates(CONTENT) if dt <= day]
        values = {
            "day": day,
            "events": events,
            "contents": files(self.warehouse, CONTENT, known[-1:]),
            "window_days": window_days,
            "late_days": late_days,
            "shares": [number / groups for number in range(1, groups)],
            "group_prior": valuation.group_prior_views,
            "min_deviation": valuation.min_deviation,
            "live": ContentKind.LIVE,
            "near_zero": valuation.near_zero_seconds,
            "limits": ", ".join(f"{limit} AS {name}" for name, limit in limits.items()),
            "names": ", ".join(limits),
            "reasons": " ".join(f"WHEN {name} <= least(1.0, {', '.join(limits)}) THEN '{name}'" for name in limits),
            "user_prior": valuation.user_prior_views,
            "prior": valuation.prior_views,
            "threshold": valuation.valued_threshold,
            "output": self.output,
        }
        self.output.mkdir(exist_ok=True)
        for statement in (_MACROS, _VIEWS, _LENGTHS, _WATCHED, _STANDARD, _WEIGHTS, _VALUES):
            self.connection.execute(statement.format(**values))

    def _limits(self) -> dict[WeightReason, str]:
        """The weight that each abuse rule allows."""
        valuation = self.settings.valuation
        is_skip = f"watched_seconds > 0 AND watched_seconds <= {valuation.near_zero_seconds}"
        live_seconds, tolerance = valuation.max_live_hours_per_day * 3_600, valuation.overlap_tolerance
        return {
            WeightReason.IMPOSSIBLE_SECONDS: "at_most(86400, seconds)",
            WeightReason.OVERLAPPING_VIEWS: f"CASE WHEN seconds > elapsed * {tolerance} THEN elapsed / seconds"
            " ELSE 1.0 END",
            WeightReason.IDLE_LIVE: f"CASE WHEN content_kind = '{ContentKind.LIVE}'"
            f" THEN at_most({live_seconds}, live_seconds) ELSE 1.0 END",
            WeightReason.NEAR_ZERO_BURST: f"CASE WHEN {is_skip} THEN at_most({valuation.near_zero_burst}, skips)"
            " ELSE 1.0 END",
            WeightReason.SINGLE_STREAMER: "CASE WHEN is_one_streamer"
            f" THEN at_most({valuation.max_single_streamer_views}, plays) ELSE 1.0 END",
            WeightReason.USER_CAP: f"at_most({valuation.max_user_views_per_day}, plays)",
        }
