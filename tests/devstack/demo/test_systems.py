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
    liked = [{c.USER_ID: 1, c.STREAMER_ID: 4 + rank, c.RANK: rank, c.SCORE: 1 / rank} for rank in (2, 1)]
    written(settings, t.PREFERRED_STREAMER, *liked)
    written(settings, t.EXPLORATION_REPORT)
    written(settings, t.WATCH_EVENT, {})
    assert list(systems(settings, DAY)) == [
        "  jobs preferred_streamers                 2 rows  user_id 1, streamer_id 5, rank 1, score 1",
        "  jobs exploration_report                  0 rows  nothing on this day",
    ]


def test_a_day_of_which_nothing_was_derived_has_no_lines(tmp_path: Path) -> None:
    assert list(systems(Settings(home=tmp_path), DAY)) == []
