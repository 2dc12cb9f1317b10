"""What a demo says of each system at its end."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from contracts import columns as c
from contracts import tables as t
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from devstack.demo.systems import systems
from tests.jobs.frames import rows_of

DAY = date(2026, 1, 10)


def written(settings: Settings, table: Table, *rows: dict[str, object]) -> None:
    filled = pa.Table.from_pylist(rows_of(table, *rows), table.schema)
    Warehouse(settings.warehouse_path).write(table, DAY, filled, [], datetime(2026, 2, 1, tzinfo=UTC))


def test_a_system_has_a_line_with_its_rows_and_a_best_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    related = [{c.STREAMER_ID: 1, c.RELATED_STREAMER_ID: 4 + rank, c.RANK: rank, c.SCORE: 1 / rank} for rank in (2, 1)]
    written(settings, t.PREFERRED_STREAMER, {c.USER_ID: 1, c.STREAMER_IDS: [7, 8, 9, 10]})
    written(settings, t.RELATED_STREAMER, *related)
    written(settings, t.EXPLORATION_REPORT)
    written(settings, t.WATCH_EVENT, {})
    assert list(systems(settings, DAY)) == [
        f"  {'jobs preferred_streamers':<30}{t.PREFERRED_STREAMER.name:<26}         1 rows"
        "  user_id 1, streamer_ids 7 8 9 ...",
        f"  {'jobs related_streamers':<30}{t.RELATED_STREAMER.name:<26}         2 rows"
        "  streamer_id 1, related_streamer_id 5, rank 1, score 1, support 1",
        f"  {'jobs exploration_report':<30}{t.EXPLORATION_REPORT.name:<26}         0 rows  nothing on this day",
    ]


def test_a_day_of_which_nothing_was_derived_has_no_lines(tmp_path: Path) -> None:
    assert list(systems(Settings(home=tmp_path), DAY)) == []
