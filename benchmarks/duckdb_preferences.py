"""Preferred streamers in DuckDB, from the same files: the rival of `jobs preferred_streamers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from contracts.clock import days_between
from contracts.schema import Table
from contracts.settings import PreferenceSettings
from contracts.snapshots import Warehouse
from contracts.tables import PREFERENCE_STATE, PREFERRED_STREAMER, VIEW_VALUE

_MACROS = """
CREATE OR REPLACE MACRO growth(day) AS pow(2.0, (day - DATE '{start}') / {half_life});
CREATE OR REPLACE MACRO fixed(score) AS CAST(round(score * 1e12) AS BIGINT);
CREATE OR REPLACE MACRO kind_weight(kind) AS CASE {kinds} ELSE 0.0 END;
CREATE OR REPLACE MACRO units(kind, seconds, day) AS
    fixed(kind_weight(kind) * ln(1 + seconds / {saturation}) * growth(day));
"""
_PAIRS = """
CREATE OR REPLACE TEMP TABLE changes AS
WITH of_day AS (
    SELECT user_id, streamer_id, view_day,
        CAST(sum(units(content_kind, after, view_day) - units(content_kind, before, view_day)) AS BIGINT) AS units,
        count_if(before = 0) AS views, CAST(max(before) = 0 AS BIGINT) AS distinct_days
    FROM ({views}) WHERE after > 0 GROUP BY ALL
)
SELECT user_id, streamer_id,
    CAST(sum(units + distinct_days * fixed({day_weight} * growth(view_day))) AS BIGINT) AS units,
    CAST(sum(views) AS BIGINT) AS views, CAST(sum(distinct_days) AS BIGINT) AS distinct_days,
    max(view_day) AS last_view_day
FROM of_day GROUP BY ALL
"""
_ALL_VIEWS = """
SELECT user_id, streamer_id, view_day, content_kind, watched_seconds AS after, 0.0 AS before
FROM {all} AS stored WHERE view_day <= DATE '{day}' AND NOT EXISTS (
    FROM {all} AS newer WHERE newer.dt <> newer.view_day AND newer.view_day <= DATE '{day}' AND newer.dt > stored.dt
    AND newer.user_id = stored.user_id AND newer.content_id = stored.content_id AND newer.view_day = stored.view_day)
"""
_NEW_VIEWS = """
WITH displaced AS (
    SELECT DISTINCT user_id, view_day FROM {recent} WHERE dt <> view_day AND greatest(dt, view_day) = DATE '{day}'
)
SELECT user_id, streamer_id, view_day, content_kind, watched_seconds AS after, 0.0 AS before
FROM {today} AS punctual ANTI JOIN displaced USING (user_id, view_day) WHERE dt = view_day
UNION ALL
SELECT user_id, streamer_id, view_day, content_kind, max(watched_seconds) AS after,
    coalesce(max(watched_seconds) FILTER (greatest(dt, view_day) < DATE '{day}'), 0.0) AS before
FROM {recent} AS known JOIN displaced USING (user_id, view_day) WHERE greatest(dt, view_day) <= DATE '{day}'
GROUP BY user_id, streamer_id, content_id, view_day, content_kind
"""
_CHANGED = """
CREATE OR REPLACE TEMP TABLE changed AS
WITH known AS (
    SELECT user_id, streamer_id, max(units) AS units, max(views) AS views, max(distinct_days) AS distinct_days,
        max(last_view_day) AS last_view_day
    FROM {state} AS state SEMI JOIN changes USING (user_id, streamer_id) GROUP BY ALL
)
SELECT user_id, streamer_id, changes.units + coalesce(known.units, 0) AS units,
    changes.views + coalesce(known.views, 0) AS views,
    changes.distinct_days + coalesce(known.distinct_days, 0) AS distinct_days,
    greatest(changes.last_view_day, known.last_view_day) AS last_view_day, changes.views AS added
FROM changes LEFT JOIN known USING (user_id, streamer_id)
"""
_OLD = """
CREATE OR REPLACE TEMP TABLE old AS
SELECT user_id, arg_max({{'views': views, 'streamer_ids': streamer_ids, 'units': units,
    'last_view_days': last_view_days}}, dt) AS list
FROM {lists} AS lists SEMI JOIN changed USING (user_id) GROUP BY user_id
"""
_LISTS = """
COPY (
    WITH places AS (
        SELECT user_id, streamer_id, units, last_view_day FROM changed
        UNION ALL
        SELECT * FROM (
            SELECT user_id, unnest(list.streamer_ids) AS streamer_id, unnest(list.units) AS units,
                unnest(list.last_view_days) AS last_view_day FROM old
        ) AS place ANTI JOIN changed USING (user_id, streamer_id)
    ), best AS (
        SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY units DESC, streamer_id) AS rank FROM places
        QUALIFY rank <= {length}
    ), lists AS (
        SELECT user_id, list(streamer_id ORDER BY rank) AS streamer_ids, list(units ORDER BY rank) AS units,
            list(last_view_day ORDER BY rank) AS last_view_days
        FROM best GROUP BY user_id
    ), counts AS (SELECT user_id, sum(added) AS added FROM changed GROUP BY user_id)
    SELECT user_id, CAST(added + coalesce(old.list.views, 0) AS BIGINT) AS views, streamer_ids, lists.units,
        last_view_days
    FROM lists JOIN counts USING (user_id) LEFT JOIN old USING (user_id)
) TO '{output}/lists.parquet'
"""
_STATE = "COPY (SELECT * EXCLUDE (added) FROM changed) TO '{output}/state.parquet'"
_NO_LISTS = """
SELECT NULL::BIGINT AS user_id,
    NULL::STRUCT(views BIGINT, streamer_ids BIGINT[], units BIGINT[], last_view_days DATE[]) AS list
"""


@dataclass(frozen=True)
class DuckdbPreferences:
    """One day's state and lists, written to `output` as Parquet."""

    connection: duckdb.DuckDBPyConnection
    warehouse: Warehouse
    preferences: PreferenceSettings
    late_days: int
    output: Path

    def recompute(self, day: date, start: date) -> None:
        """From all views of the log."""
        days = [found for found in self.warehouse.dates(VIEW_VALUE) if found <= day]
        values = {"all": self._files(VIEW_VALUE, days), "day": day}
        self._prepare(start, _ALL_VIEWS.format(**values))
        self.connection.execute("CREATE OR REPLACE TEMP TABLE changed AS SELECT *, views AS added FROM changes")
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE old AS {_NO_LISTS} LIMIT 0")
        self._write()

    def increment(self, day: date, start: date) -> None:
        """From the state of the day before and the views that the day brought."""
        eve = day - timedelta(days=1)
        recent = list(days_between(day - timedelta(days=self.late_days + 1), day))
        values = {"today": self._files(VIEW_VALUE, [day]), "recent": self._files(VIEW_VALUE, recent), "day": day}
        self._prepare(start, _NEW_VIEWS.format(**values))
        period = list(days_between(start, eve))
        self.connection.execute(_CHANGED.format(state=self._files(PREFERENCE_STATE, period)))
        self.connection.execute(_OLD.format(lists=self._files(PREFERRED_STREAMER, period)))
        self._write()

    def _prepare(self, start: date, views: str) -> None:
        preferences = self.preferences
        kinds = " ".join(f"WHEN kind = '{kind}' THEN {weight}" for kind, weight in preferences.kind_weights.items())
        values: Mapping[str, object] = {
            "start": start,
            "half_life": preferences.half_life_days,
            "kinds": kinds,
            "saturation": preferences.saturation_seconds,
        }
        self.connection.execute(_MACROS.format(**values))
        self.connection.execute(_PAIRS.format(views=views, day_weight=preferences.day_weight))

    def _write(self) -> None:
        self.output.mkdir(exist_ok=True)
        self.connection.execute(_STATE.format(output=self.output))
        self.connection.execute(_LISTS.format(output=self.output, length=self.preferences.list_length))

    def _files(self, table: Table, days: Sequence[date]) -> str:
        return f"read_parquet({files(self.warehouse, table, days)}, hive_partitioning = true)"


def files(warehouse: Warehouse, table: Table, days: Sequence[date]) -> list[str]:
    """Parquet files of those of the days that have a partition."""
    found = (warehouse.current(table, day) for day in days)
    return [str(path) for snapshot in found if snapshot for path in sorted(snapshot.path.glob("*.parquet"))]
