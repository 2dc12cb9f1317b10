"""A cascade after a re-run leaves what a run from scratch would have made, and touches nothing else."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from jobs.commands.backfill import Backfill
from jobs.commands.cascade import cascade, plan
from jobs.commands.stale import Lineage, Partition
from tests.jobs.commands.three_days import (
    DAYS,
    LAST,
    NOW,
    compute,
    copied,
    settings_of,
    watch,
    write,
    write_log,
)


@dataclass(frozen=True)
class Platform:
    """Three days of every job, the lists of the last."""

    spark: SparkSession
    settings: Settings

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)

    def cascade(self, first: date = DAYS[0], last: date = LAST) -> set[Partition]:
        backfill = Backfill(self.spark, self.settings, NOW, lambda _: None)
        written = cascade(backfill, plan(self.lineage(), first, last))
        return {Partition(snapshot.table, date.fromisoformat(snapshot.dt)) for snapshot in written}

    def lineage(self) -> Lineage:
        return Lineage(self.warehouse, self.settings)

    def rows(self, table: Table, day: date) -> list[dict[str, object]]:
        keys = [(key, "ascending") for key in table.key]
        return self.warehouse.read(table, day).sort_by(keys).to_pylist()

    def snapshots(self) -> dict[Partition, str]:
        return {
            Partition(table.name, day): self.warehouse.require(table, day).snapshot_id
            for table in t.ALL_TABLES.values()
            for day in self.warehouse.dates(table)
        }


@pytest.fixture
def platform(spark: SparkSession, computed: Settings, tmp_path: Path) -> Platform:
    return Platform(spark, copied(computed, tmp_path / "platform"))


def _import_the_second_day_again(warehouse: Warehouse) -> None:
    """User 3 turns out to have watched clip 22 for long."""
    noon = datetime(2026, 1, 9, 12, tzinfo=UTC)
    again = warehouse.read(t.WATCH_EVENT, DAYS[1]).to_pylist()
    late = watch(3, 22, 6, 800.0, noon + timedelta(hours=2))
    write(warehouse, t.WATCH_EVENT, DAYS[1], *again, late)


@pytest.mark.slow
def test_after_a_rerun_of_an_old_day_every_table_is_as_from_scratch(
    platform: Platform, spark: SparkSession, tmp_path: Path
) -> None:
    before = platform.snapshots()
    assert platform.lineage().stale() == []
    _import_the_second_day_again(platform.warehouse)
    of_last = platform.cascade(first=LAST)
    of_the_day = {t.VIEW_VALUE.name, t.TRAINING_EXAMPLE.name, t.EXPLORATION_REPORT.name}
    assert {entry.table for entry in of_last} == of_the_day
    second = platform.cascade(last=DAYS[1])
    third = platform.cascade()
    assert {entry.dt for entry in second} == {DAYS[1]}
    assert {entry.dt for entry in third} == {LAST}

    scratch = Platform(spark, settings_of(tmp_path / "scratch"))
    write_log(scratch.warehouse)
    _import_the_second_day_again(scratch.warehouse)
    compute(spark, scratch.settings)
    assert set(platform.snapshots()) == set(scratch.snapshots())
    for table, day in scratch.snapshots():
        assert platform.rows(t.ALL_TABLES[table], day) == scratch.rows(t.ALL_TABLES[table], day), (table, day)

    after = platform.snapshots()
    changed = {entry for entry in after if after[entry] != before[entry]}
    assert changed == {*of_last, *second, *third, Partition(t.WATCH_EVENT.name, DAYS[1])}
    assert platform.lineage().stale() == []
    assert platform.cascade() == set()


def test_only_what_reads_a_changed_table_is_run(platform: Platform) -> None:
    write(platform.warehouse, t.USER_ACTION, LAST, {c.USER_ID: 1, c.TARGET_KIND: "clip", c.TARGET_ID: 22})
    assert platform.cascade() == {Partition(table.name, LAST) for table in (t.TRAINING_EXAMPLE, t.CANDIDATE_LIST)}
