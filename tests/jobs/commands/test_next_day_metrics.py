"""The next day's watches judge small lists whose metrics one can compute by hand."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from math import log2
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.errors import MissingPartitionError
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from jobs.commands.next_day_metrics import next_day_metrics
from jobs.tables import Tables
from tests.jobs.frames import rows_of

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def write(warehouse: Warehouse, table: Table, day: date, *rows: dict[str, object]) -> None:
    warehouse.write(table, day, pa.Table.from_pylist(rows_of(table, *rows), table.schema), [], NOW)


def watch(user: int, content: int, streamer: int) -> dict[str, object]:
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.CONTENT_KIND: "clip"}
    return {**ids, c.EVENT_TIME: datetime(2026, 1, 10, 12, tzinfo=UTC), c.WATCHED_SECONDS: 9.0}


def view(user: int, content: int, streamer: int, day: date, *, valued: bool = True) -> dict[str, object]:
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: streamer, c.CONTENT_KIND: "clip"}
    return {**ids, c.VIEW_DAY: day, c.IS_VALUED: valued}


def place(rank: int, item: int, **where: object) -> dict[str, object]:
    return {c.SURFACE: "home_clips", c.RANK: rank, c.ITEM_KIND: "clip", c.ITEM_ID: item, **where}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """User 1 has a list of their own and met its first item before; user 2 gets everybody's list."""
    settings = Settings(home=tmp_path)
    warehouse = Warehouse(settings.warehouse_path)
    write(warehouse, t.WATCH_EVENT, DAY, watch(1, 20, 5), watch(2, 40, 6))
    write(warehouse, t.VIEW_VALUE, DAY, view(1, 20, 5, DAY), view(2, 40, 6, DAY, valued=False))
    late = view(2, 20, 5, DAY)
    write(
        warehouse,
        t.VIEW_VALUE,
        NEXT,
        view(1, 21, 5, NEXT),
        view(2, 22, 7, NEXT),
        view(2, 20, 5, NEXT, valued=False),
        late,
    )
    write(warehouse, t.POPULAR_ITEM, DAY, {c.ITEM_KIND: "clip", c.ITEM_ID: 20, c.SCORE: 1.0})
    write(warehouse, t.CANDIDATE_LIST, DAY, *(place(rank, 19 + rank, **{c.USER_ID: 1}) for rank in (1, 2, 3)))
    write(
        warehouse, t.SEGMENT_LIST, DAY, *(place(rank, item, **{c.SEGMENT: "all"}) for rank, item in ((1, 30), (2, 22)))
    )
    return settings


def judged(spark: SparkSession, settings: Settings, day: date = DAY) -> dict[str, Any]:
    return next_day_metrics(Tables(spark, Warehouse(settings.warehouse_path), NOW), settings, day)


def test_a_users_own_list_or_else_everybodys_is_judged_without_what_was_met_before(
    spark: SparkSession, settings: Settings
) -> None:
    clips = judged(spark, settings)["surfaces"]["home_clips"]
    new, everything = clips["new"]["all"], clips["all"]["all"]
    assert (new["users"], clips["personal_share"]) == (2, 0.5)
    assert new["lists"]["published"]["ndcg_at_20"]["mean"] == pytest.approx((1 + 1 / log2(3)) / 2)
    assert everything["lists"]["published"]["ndcg_at_20"]["mean"] == pytest.approx(1 / log2(3))
    assert new["lists"]["popular_last_day"]["hit_rate_at_20"]["mean"] == 0.0
    assert clips["new"]["return"]["users"] == 1
    assert clips["new"]["discovery"]["lists"]["published"]["recall_at_20"]["mean"] == 1.0


def test_the_simulation_database_holds_one_row_a_figure_also_after_a_second_run(
    spark: SparkSession, settings: Settings
) -> None:
    first = judged(spark, settings)
    assert judged(spark, settings) == first
    with closing(sqlite3.connect(settings.simulation_database_path)) as database:
        rows = database.execute(
            "SELECT users, mean FROM next_day_metric WHERE dt = '2026-01-10' AND surface = 'home_clips'"
            " AND mode = 'new' AND split = 'all' AND list = 'published' AND metric = 'ndcg_at_20'"
        ).fetchall()
    assert rows == [(2, pytest.approx((1 + 1 / log2(3)) / 2))]


def test_the_result_names_the_snapshots_it_was_made_of(spark: SparkSession, settings: Settings) -> None:
    snapshot = Warehouse(settings.warehouse_path).require(t.CANDIDATE_LIST, DAY)
    assert judged(spark, settings)["snapshots"]["candidate_list_v1/2026-01-10"] == snapshot.snapshot_id


def test_lists_without_a_next_day_are_an_error_that_says_what_to_run(spark: SparkSession, settings: Settings) -> None:
    with pytest.raises(MissingPartitionError, match="view_valuation --date 2026-01-12"):
        judged(spark, settings, DAY + timedelta(days=1))
