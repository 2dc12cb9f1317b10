"""Which partitions a re-run makes stale, told from manifests alone."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts import columns as c
from contracts import tables as t
from contracts.errors import SettingsError
from contracts.schema import Table
from contracts.settings import PopularitySettings, Settings
from contracts.snapshots import Warehouse
from jobs.__main__ import app
from jobs.commands.stale import Lineage, Partition, StaleReason
from tests.jobs.commands.three_days import DAYS, LAST, write

SETTINGS = Settings(popularity=PopularitySettings(window_days=2))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Views of three days, the popular items and segment lists of the last, its user features and retrieval."""
    warehouse = Warehouse(tmp_path / "warehouse")
    views = [write(warehouse, t.VIEW_VALUE, day, {c.USER_ID: 1}) for day in DAYS]
    features = write(warehouse, t.USER_FEATURE, LAST, {c.USER_ID: 1}, inputs=views)
    write(warehouse, t.POPULAR_ITEM, LAST, {c.ITEM_ID: 20}, inputs=views)
    write(warehouse, t.SEGMENT_LIST, LAST, {c.ITEM_ID: 20}, inputs=[*views, features])
    write(warehouse, t.RETRIEVED_CANDIDATE, LAST, {c.ITEM_ID: 20}, inputs=[features])
    return warehouse


def change_features(warehouse: Warehouse) -> None:
    views = [warehouse.require(t.VIEW_VALUE, day) for day in DAYS]
    write(warehouse, t.USER_FEATURE, LAST, {c.USER_ID: 2}, inputs=views)


def stale(warehouse: Warehouse) -> dict[str, list[tuple[Partition, StaleReason]]]:
    return {str(found.partition): list(found.inputs) for found in Lineage(warehouse, SETTINGS).stale()}


def test_what_has_read_the_current_snapshots_is_not_stale(warehouse: Warehouse) -> None:
    assert stale(warehouse) == {}


def test_an_input_that_was_written_again_makes_stale_and_what_follows_from_it(warehouse: Warehouse) -> None:
    change_features(warehouse)
    reason = [(Partition(t.USER_FEATURE.name, LAST), StaleReason.CHANGED)]
    assert stale(warehouse) == {
        f"segment_list_v1/{LAST}": reason,
        f"retrieved_candidate_v1/{LAST}": reason,
    }


def test_a_stale_input_makes_stale_and_stands_before(warehouse: Warehouse) -> None:
    write(warehouse, t.VIEW_VALUE, LAST, {c.USER_ID: 2})
    found = stale(warehouse)
    assert found[f"segment_list_v1/{LAST}"] == [
        (Partition(t.VIEW_VALUE.name, LAST), StaleReason.CHANGED),
        (Partition(t.USER_FEATURE.name, LAST), StaleReason.STALE),
    ]
    assert found[f"retrieved_candidate_v1/{LAST}"] == [(Partition(t.USER_FEATURE.name, LAST), StaleReason.STALE)]
    assert list(found).index(f"user_feature_v1/{LAST}") < list(found).index(f"retrieved_candidate_v1/{LAST}")


@pytest.mark.parametrize(
    ("table", "day", "expected"),
    [
        (t.CONTENT, LAST, {t.VIEW_VALUE, t.POPULAR_ITEM, t.USER_FEATURE, t.SEGMENT_LIST, t.RETRIEVED_CANDIDATE}),
        (t.CONTENT, LAST + timedelta(days=1), set()),
        (t.EARLIER_VIEW, DAYS[0], {t.USER_FEATURE, t.SEGMENT_LIST, t.RETRIEVED_CANDIDATE}),
    ],
)
def test_a_partition_that_came_late_makes_stale_what_would_read_it(
    warehouse: Warehouse, table: Table, day: date, expected: set[Table]
) -> None:
    write(warehouse, table, day, {c.STREAMER_ID: 5})
    found = {found.partition for found in Lineage(warehouse, SETTINGS).stale()}
    assert found == {Partition(each.name, LAST) for each in expected}


def test_what_lies_before_the_window_makes_nothing_stale(warehouse: Warehouse) -> None:
    write(warehouse, t.VIEW_VALUE, DAYS[0] - timedelta(days=1), {c.USER_ID: 3})
    assert f"popular_item_v1/{LAST}" not in stale(warehouse)


def test_a_dry_cascade_says_what_would_be_run_and_what_other_rooms_must_do(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMREC_HOME", str(warehouse.root.parent))
    write(warehouse, t.CANDIDATE_LIST, LAST, inputs=[warehouse.require(t.RETRIEVED_CANDIDATE, LAST)])
    change_features(warehouse)
    run, retrieve, lists, then, count = CliRunner().invoke(app, ["cascade", "--dry-run"]).stdout.splitlines()
    assert run.startswith(f"segment_list_v1/{LAST}: user_feature_v1/{LAST} was written again; python -m jobs segment_")
    assert retrieve.startswith(f"left: retrieved_candidate_v1/{LAST}: user_feature_v1/{LAST} was written again; python")
    assert lists.startswith(f"left: candidate_list_v1/{LAST}: ")
    assert f"python -m jobs candidate_lists --date {LAST} after " in lists
    assert then == f"then python -m serving publish --date {LAST}: it holds segment_list_v1/{LAST}"
    assert count.startswith("1 partitions would be run again in ")


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    ran = CliRunner().invoke(app, ["cascade", "--from", "2026-01-09", "--to", "2026-01-08"])
    assert isinstance(ran.exception, SettingsError)


def test_the_command_lists_reasons_commands_and_what_holds_the_newest_day(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMREC_HOME", str(warehouse.root.parent))
    write(warehouse, t.CANDIDATE_LIST, LAST, {c.ITEM_ID: 20}, inputs=[warehouse.require(t.USER_FEATURE, LAST)])
    change_features(warehouse)
    reason, lists = f"user_feature_v1/{LAST} was written again", f"segment_list_v1/{LAST}"
    publish = f"python -m serving publish --date {LAST}"

    lines = CliRunner().invoke(app, ["stale"]).stdout.splitlines()
    assert f"{lists}: {reason}; python -m jobs segment_lists --date {LAST}" in lines
    assert f"then {publish}: it holds candidate_list_v1/{LAST}" in lines
    assert lines[-1] == "3 stale partitions"

    found = json.loads(CliRunner().invoke(app, ["stale", "--json"]).stdout)
    assert lists in {entry["partition"] for entry in found["stale"]}
    assert found["then"] == {publish: [f"candidate_list_v1/{LAST}", lists]}
