"""A running day: lists are made anew within it, and the whole day's run replaces what the hours have left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.clock import hour_end
from contracts.errors import PartialDayError
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from jobs.commands.backfill import Backfill
from jobs.commands.check import check
from jobs.commands.registry import JOBS, Job, jobs_named
from jobs.commands.stale import Lineage
from tests.jobs.commands.three_days import DAYS, LAST, NOW, copied, settings_of, write, write_log

OF_THE_LOG = [t.VIEW_VALUE, t.PREFERRED_STREAMER, t.POPULAR_ITEM, t.CONTENT_VALUE]
HOURLY = [job for job in JOBS if job.hourly]
UNTIL = hour_end(LAST, 12, "UTC")  # the day's live views begin at this moment


@dataclass(frozen=True)
class Platform:
    """Two whole days of every job, and the log of a third."""

    spark: SparkSession
    settings: Settings

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)

    def copy(self, home: Path) -> "Platform":
        return replace(self, settings=copied(self.settings, home))

    def run(self, jobs: Sequence[Job], until: datetime | None = None) -> None:
        Backfill(self.spark, self.settings, NOW, lambda _: None, until).run(jobs, LAST, LAST)

    def rows(self, table: Table) -> list[dict[str, object]]:
        """But for when they become available."""
        rows = self.warehouse.read(table, LAST).drop_columns([c.AVAILABLE_AT])
        return rows.sort_by([(key, "ascending") for key in table.key]).to_pylist()


@pytest.fixture(scope="module")
def whole_days(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Tests write to copies only."""
    made = Platform(spark, settings_of(tmp_path_factory.mktemp("whole_days")))
    write_log(made.warehouse)
    for row in made.warehouse.read(t.RETRIEVED_CANDIDATE, LAST).to_pylist()[:1]:
        write(made.warehouse, t.RETRIEVED_CANDIDATE, DAYS[1], row)
    Backfill(spark, made.settings, NOW, lambda _: None).run(JOBS, DAYS[1], DAYS[1])
    return made


@pytest.fixture(scope="module")
def refreshed(whole_days: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    made = whole_days.copy(tmp_path_factory.mktemp("refreshed"))
    made.run(HOURLY, UNTIL)
    return made


@pytest.fixture(scope="module")
def cut(whole_days: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A log that ends where the hour does."""
    made = whole_days.copy(tmp_path_factory.mktemp("cut"))
    rows = made.warehouse.read(t.WATCH_EVENT, LAST).to_pylist()
    write(made.warehouse, t.WATCH_EVENT, LAST, *(row for row in rows if row[c.EVENT_TIME] < UNTIL))
    made.run(jobs_named(["view_valuation", "preferred_streamers", "popular_items", "content_values"]))
    return made


@pytest.mark.parametrize(
    "table", [t.VIEW_VALUE, t.PREFERRED_STREAMER, t.POPULAR_ITEM, t.CONTENT_VALUE], ids=lambda it: it.name
)
def test_an_hours_rows_are_those_of_a_log_that_ends_with_it(refreshed: Platform, cut: Platform, table: Table) -> None:
    assert refreshed.rows(table) == cut.rows(table) != []


def test_lists_of_an_hour_take_the_newest_of_slower_tables(refreshed: Platform) -> None:
    lists = refreshed.warehouse.require(t.CANDIDATE_LIST, LAST)
    assert lists.rows > 0
    assert lists.until == UNTIL
    read = set(lists.inputs)
    assert {f"{t.USER_FEATURE.name}/{DAYS[1]}", f"{t.POPULAR_ITEM.name}/{LAST}"} <= read
    available = refreshed.warehouse.read(t.CANDIDATE_LIST, LAST).column(c.AVAILABLE_AT).unique().to_pylist()
    assert available == [datetime(2026, 1, 10, 13, 30, tzinfo=UTC)]


def test_an_hours_partitions_are_neither_stale_nor_checked(refreshed: Platform) -> None:
    rows = refreshed.warehouse.read(t.WATCH_EVENT, LAST).to_pylist()
    write(refreshed.warehouse, t.WATCH_EVENT, LAST, *rows)
    assert Lineage(refreshed.warehouse, refreshed.settings).stale() == []
    checked = {result.table for result in check(refreshed.warehouse, refreshed.settings, LAST)}
    assert t.WATCH_EVENT.name in checked
    assert t.VIEW_VALUE.name not in checked


def test_another_part_of_the_day_cannot_be_built_on(refreshed: Platform) -> None:
    for until in (hour_end(LAST, 13, "UTC"), None):
        with pytest.raises(PartialDayError, match="dt=2026-01-10 holds what began before 2026-01-10 13:00"):
            refreshed.run(jobs_named(["popular_items"]), until)


def test_the_whole_day_replaces_its_hours(refreshed: Platform) -> None:
    refreshed.run(jobs_named(["view_valuation"]))
    whole = refreshed.warehouse.require(t.VIEW_VALUE, LAST)
    assert whole.until is None
    assert whole.rows == refreshed.warehouse.require(t.WATCH_EVENT, LAST).rows


def test_an_hour_does_not_replace_the_whole_day(cut: Platform) -> None:
    with pytest.raises(PartialDayError, match="view_value_v1 dt=2026-01-10 is of the whole day"):
        cut.run(jobs_named(["view_valuation"]), UNTIL)
    assert len(list(cut.warehouse.partition_path(t.VIEW_VALUE, LAST).glob("snapshot=*"))) == 1
