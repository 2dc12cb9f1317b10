"""Every derived job on a log of three days, from raw tables to lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.errors import MissingPartitionError, SettingsError
from contracts.names import Source
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.commands import candidate_lists
from jobs.commands.backfill import Backfill
from jobs.commands.registry import JOBS, Job, jobs_named
from jobs.tables import Tables
from tests.jobs.commands.three_days import DAYS, HISTORY, LAST, NOW, copied, settings_of, write_log

DERIVED = [table for job in JOBS for table in job.tables]


@dataclass(frozen=True)
class Platform:
    """A small platform: its settings, the snapshots of a first and a second run of the last day, and a second
    warehouse whose days were computed together."""

    settings: Settings
    together: Settings
    first: dict[str, Snapshot]
    second: dict[str, Snapshot]

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)

    def rows(self, table: Table, snapshot: Snapshot) -> list[dict[str, object]]:
        keys = [(key, "ascending") for key in table.key]
        return self.warehouse.read_snapshot(table, snapshot).sort_by(keys).to_pylist()


@pytest.fixture(scope="module")
def platform(spark: SparkSession, computed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    settings = copied(computed, tmp_path_factory.mktemp("platform"))
    together = settings_of(tmp_path_factory.mktemp("together"))
    write_log(Warehouse(together.warehouse_path))
    first = [Warehouse(settings.warehouse_path).require(table, LAST) for table in DERIVED]
    second = Backfill(spark, settings, NOW, lambda _: None).run(JOBS, LAST, LAST)
    lines: list[str] = []
    Backfill(spark, together, NOW, lines.append).run(HISTORY, DAYS[0], LAST)
    assert "2026-01-08 view_valuation: 4 rows" in lines
    return Platform(settings, together, _by_table(first), _by_table(second))


def _by_table(snapshots: Iterable[Snapshot]) -> dict[str, Snapshot]:
    return {snapshot.table: snapshot for snapshot in snapshots}


@pytest.mark.parametrize("table", DERIVED, ids=lambda table: table.name)
def test_a_second_run_writes_equal_rows(platform: Platform, table: Table) -> None:
    first, second = platform.first[table.name], platform.second[table.name]
    assert first.snapshot_id != second.snapshot_id
    assert first.rows > 0
    assert platform.rows(table, first) == platform.rows(table, second)


@pytest.mark.parametrize("table", [table for job in HISTORY for table in job.tables], ids=lambda table: table.name)
def test_days_computed_together_are_the_days_computed_one_by_one(platform: Platform, table: Table) -> None:
    """Rows and manifests: what a day depends on must not grow by its neighbours in the range.

    But for lists, which come from the state of the day before, or from the views of a range.
    """
    together = Warehouse(platform.together.warehouse_path)
    for day in DAYS:
        alone, beside = platform.warehouse.require(table, day), together.require(table, day)
        assert platform.rows(table, alone) == platform.rows(table, beside)
        if table not in (t.PREFERENCE_STATE, t.PREFERRED_STREAMER):
            assert set(alone.inputs) == set(beside.inputs)
        assert alone.rows > 0


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_reads_what_the_registry_says(platform: Platform, job: Job) -> None:
    read = {reference.partition("/")[0] for reference in platform.second[job.writes.name].inputs}
    assert read <= job.reads(platform.settings) | {table.name for table in job.tables}


@pytest.mark.parametrize("table", DERIVED, ids=lambda table: table.name)
def test_a_table_is_unique_by_its_key_and_known_to_hive(platform: Platform, spark: SparkSession, table: Table) -> None:
    rows = platform.rows(table, platform.second[table.name])
    keys = [tuple(row[name] for name in table.key) for row in rows]
    assert len(set(keys)) == len(keys)
    assert spark.catalog.tableExists(f"streamrec.{table.name}")


def test_a_late_row_supersedes_the_view_of_its_day(platform: Platform) -> None:
    on_the_8th = [
        row[c.WATCHED_SECONDS]
        for day in DAYS
        for row in platform.warehouse.read(t.VIEW_VALUE, day).to_pylist()
        if row[c.USER_ID] == 1 and row[c.CONTENT_ID] == 20 and row[c.VIEW_DAY] == DAYS[0]
    ]
    assert on_the_8th == [40.0, 47.0]
    features = platform.rows(t.USER_FEATURE, platform.second[t.USER_FEATURE.name])
    assert next(row[c.WATCHED_SECONDS] for row in features if row[c.USER_ID] == 1) == 3 * 1840.0 + 7.0


def test_derived_rows_become_available_when_the_days_batch_is_published(platform: Platform) -> None:
    moments = platform.warehouse.read(t.USER_FEATURE, LAST).column(c.AVAILABLE_AT).unique().to_pylist()
    assert moments == [datetime(2026, 1, 11, 3, tzinfo=UTC)]


def test_what_was_seen_hidden_or_is_private_is_in_no_list(platform: Platform) -> None:
    lists = platform.rows(t.CANDIDATE_LIST, platform.second[t.CANDIDATE_LIST.name])
    clips = {(row[c.USER_ID], row[c.ITEM_ID]) for row in lists if row[c.SURFACE] == "home_clips"}
    users = {row[c.USER_ID] for row in lists}
    assert users == {1, 2, 3, 4, 9}
    assert 21 not in {item for _, item in clips}  # private
    assert (2, 22) not in clips  # hidden
    assert (9, 22) not in clips  # watched before the log begins
    assert (1, 22) in clips


def test_a_content_is_followed_by_its_streamers_newest(platform: Platform) -> None:
    found = platform.rows(t.NEXT_CONTENT, platform.second[t.NEXT_CONTENT.name])
    assert [(row[c.TARGET_ID], row[c.CONTENT_ID], row[c.SOURCE]) for row in found] == [(22, 23, "fresh")]


def test_the_report_counts_what_was_shown_and_what_came_of_it(platform: Platform) -> None:
    (row,) = platform.rows(t.EXPLORATION_REPORT, platform.second[t.EXPLORATION_REPORT.name])
    assert (row[c.EXPLORATION_KIND], row[c.USERS], row[c.IMPRESSIONS], row[c.PLAYS]) == ("newcomer", 1, 1, 1)
    assert (row[c.STREAMER_RUN], row[c.SESSION_RUN]) == (0.0, 0.0)  # another streamer's broadcast, an hour later


def test_lists_are_made_without_a_model_only_on_demand(platform: Platform) -> None:
    job = jobs_named([candidate_lists.NAME])[0]
    settings = candidate_lists.without(platform.settings, [Source.TWO_TOWER])
    assert job.reads(platform.settings) - job.reads(settings) == {t.RETRIEVED_CANDIDATE.name}
    assert all(Source.TWO_TOWER not in sources.weights for sources in settings.candidates.surfaces.values())


@pytest.mark.parametrize(
    ("name", "run_first"),
    [
        ("view_valuation", "python -m jobs import_log --date 2026-01-10"),
        ("content_values", "python -m jobs view_valuation --date 2026-01-10"),
        ("preferred_streamers", "python -m jobs view_valuation --date 2026-01-10"),
        ("popular_items", "python -m jobs view_valuation --date 2026-01-10"),
        ("streamer_features", "python -m jobs view_valuation --date 2026-01-10"),
        ("training_examples", "python -m jobs view_valuation --date 2026-01-10"),
        ("user_features", "python -m jobs view_valuation --date 2026-01-10"),
        ("representative_vods", "python -m jobs content_values --date 2026-01-10"),
        ("next_contents", "python -m jobs content_values --date 2026-01-10"),
        ("related_streamers", "python -m jobs preferred_streamers --date 2026-01-10"),
        ("streamer_orientation", "python -m jobs view_valuation --date 2026-01-10"),
        ("exploration_candidates", "python -m jobs view_valuation --date 2026-01-10"),
        ("live_candidates", "python -m jobs preferred_streamers --date 2026-01-10"),
        ("candidate_lists", "python -m models retrieve --date 2026-01-10"),
        ("segment_lists", "python -m jobs user_features --date 2026-01-10"),
        ("exploration_report", "python -m serving drain_impressions --date 2026-01-10"),
    ],
)
def test_a_missing_upstream_partition_says_which_job_to_run(
    spark: SparkSession, tmp_path: Path, name: str, run_first: str
) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(MissingPartitionError, match=run_first):
        jobs_named([name])[0].run(Tables(spark, Warehouse(settings.warehouse_path), NOW), [LAST], settings)


def test_a_backfill_ends_with_the_error_of_the_job_that_failed(spark: SparkSession, tmp_path: Path) -> None:
    backfill = Backfill(spark, Settings(home=tmp_path), NOW, lambda _: None)
    with pytest.raises(MissingPartitionError, match="import_log"):
        backfill.run(HISTORY, DAYS[0], LAST)


def test_a_job_stands_after_those_whose_tables_it_reads() -> None:
    for place, job in enumerate(JOBS, start=1):
        later = {other.writes.name for other in JOBS[place:]}
        assert not later & job.reads(Settings())


def test_an_unknown_job_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="no job nonsense; there are candidate_lists, content_values"):
        jobs_named(["view_valuation", "nonsense"])
