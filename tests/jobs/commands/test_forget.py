"""Erased users leave every table, in every snapshot that is on disk."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from contracts import columns as c
from contracts import tables as t
from contracts.erasure import Erased, mark_erased, tables_with_users
from contracts.names import HIVE_DATABASE
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.__main__ import app
from jobs.commands.forget import Forgotten, forget
from jobs.commands.stale import Lineage
from jobs.tables import Tables
from tests.jobs.commands.three_days import DAYS, LAST, NOW, write

GONE, STAYS = 7_000_001, 7_000_002
ERASED = Erased(np.array([GONE], np.int64))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Every table with users, two days each; the last day was written twice."""
    warehouse = Warehouse(tmp_path / "warehouse")
    for table in tables_with_users():
        for day in (*DAYS[-2:], LAST):
            write(warehouse, table, day, *rows(table))
    return warehouse


def rows(table: Table) -> list[dict[str, object]]:
    return [
        {
            c.USER_ID: user,
            c.CREATOR_ID: user,
            c.STREAMER_ID: 5,
            c.CONTENT_ID: 20 + position,
            c.RAW: json.dumps({"who": str(user)}),
            c.POSITION: position,
        }
        for position, user in enumerate((GONE, STAYS, GONE))
    ]


def run(warehouse: Warehouse, erased: Erased = ERASED, now: datetime = NOW) -> list[Forgotten]:
    return list(forget(warehouse, erased, lambda *_: None, now))


def on_disk(warehouse: Warehouse) -> list[Path]:
    return sorted(warehouse.root.rglob("*.parquet"))


def users_in(path: Path) -> set[int]:
    """Every whole number in a file, whatever column or text it stands in."""
    found = set()
    for column in pq.ParquetFile(path).read().columns:
        flat = pc.list_flatten(column) if pa.types.is_list(column.type) else column
        texts = flat.cast(pa.string()).drop_null().to_pylist() if flat.type != pa.bool_() else []
        found |= {user for user in (GONE, STAYS) if any(str(user) in text for text in texts)}
    return found


def test_no_file_of_any_table_names_the_user_any_more_and_others_are_as_they_were(warehouse: Warehouse) -> None:
    before = {table: warehouse.read(table, LAST) for table in tables_with_users()}
    assert any(GONE in users_in(path) for path in on_disk(warehouse))

    done = run(warehouse)

    assert {forgotten.table for forgotten in done} == {table.name for table in tables_with_users()}
    assert all(forgotten.rewritten == 2 for forgotten in done)
    assert all(users_in(path) == {STAYS} for path in on_disk(warehouse))
    for table, rows_before in before.items():
        after = warehouse.read(table, LAST)
        assert after.equals(ERASED.left_out_of(table, rows_before)), table.name
        assert warehouse.require(table, LAST).rows == after.num_rows


def test_a_second_run_finds_nothing_to_do(warehouse: Warehouse) -> None:
    run(warehouse)
    before = on_disk(warehouse)
    assert run(warehouse, now=NOW + timedelta(minutes=1)) == []
    assert on_disk(warehouse) == before


def test_a_partition_that_does_not_name_the_user_is_not_touched(warehouse: Warehouse) -> None:
    clean = write(warehouse, t.VIEW_VALUE, DAYS[0], {c.USER_ID: STAYS})
    run(warehouse)
    assert warehouse.current(t.VIEW_VALUE, DAYS[0]) == clean
    assert run(warehouse, Erased(np.array([], np.int64))) == []


def test_a_current_snapshot_without_the_user_does_not_hide_the_one_before(warehouse: Warehouse) -> None:
    write(warehouse, t.VIEW_VALUE, LAST, {c.USER_ID: STAYS})
    run(warehouse)
    partition = warehouse.partition_path(t.VIEW_VALUE, LAST)
    assert [users_in(path) for path in partition.rglob("*.parquet")] == [{STAYS}]


def test_nothing_is_stale_by_it(warehouse: Warehouse) -> None:
    views = warehouse.require(t.VIEW_VALUE, LAST)
    features = write(warehouse, t.USER_FEATURE, LAST, *rows(t.USER_FEATURE), inputs=[views])
    write(warehouse, t.CANDIDATE_LIST, LAST, *rows(t.CANDIDATE_LIST), inputs=[features])
    lineage = [found.line() for found in Lineage(warehouse, Settings()).stale() if "was written again" in found.line()]
    run(warehouse)
    run(warehouse, Erased(np.array([GONE, STAYS], np.int64)), NOW + timedelta(minutes=1))
    found = [found.line() for found in Lineage(warehouse, Settings()).stale()]
    assert [line for line in found if "was written again" in line] == lineage


def test_files_without_the_user_are_linked_and_row_groups_are_kept_apart(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    staged = warehouse.stage(t.VIEW_VALUE, LAST, NOW)
    staged.mkdir()
    whole = write(warehouse, t.VIEW_VALUE, DAYS[0], *({c.USER_ID: user} for user in (GONE, STAYS, STAYS, GONE)))
    table = warehouse.read_snapshot(t.VIEW_VALUE, whole)
    pq.write_table(table, staged / "a.parquet", row_group_size=2)
    pq.write_table(table.slice(1, 2), staged / "b.parquet")
    old = warehouse.commit(t.VIEW_VALUE, LAST, staged, 6, [])
    inode = (old.path / "b.parquet").stat().st_ino

    run(warehouse)

    new = warehouse.require(t.VIEW_VALUE, LAST)
    assert new.rows == 4
    assert (new.path / "b.parquet").stat().st_ino == inode
    assert [pq.ParquetFile(new.path / "a.parquet").metadata.row_group(i).num_rows for i in (0, 1)] == [1, 1]


def test_a_job_that_commits_meanwhile_loses_nothing_and_keeps_nobody(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    supersede, overtaken = Warehouse.supersede, []

    def late(self: Warehouse, old: Snapshot, staged: Path, count: int) -> Snapshot | None:
        if old.table == t.VIEW_VALUE.name and old.dt == LAST.isoformat() and not overtaken:
            overtaken.append(write(self, t.VIEW_VALUE, LAST, {c.USER_ID: GONE}, {c.USER_ID: STAYS, c.CONTENT_ID: 99}))
        return supersede(self, old, staged, count)

    monkeypatch.setattr(Warehouse, "supersede", late)
    run(warehouse)
    assert warehouse.read(t.VIEW_VALUE, LAST)[c.CONTENT_ID].to_pylist() == [99]


def test_what_a_killed_writer_left_goes_too(warehouse: Warehouse) -> None:
    left = warehouse.stage(t.VIEW_VALUE, date(2026, 1, 20), NOW)
    left.mkdir()
    pq.write_table(warehouse.read(t.VIEW_VALUE, LAST), left / "part.parquet")
    run(warehouse, now=NOW + timedelta(days=1, minutes=1))
    assert not left.exists()


def test_a_run_that_is_killed_at_any_commit_is_ended_by_the_next(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    commits = []
    supersede = Warehouse.supersede

    def dying(self: Warehouse, old: Snapshot, staged: Path, count: int) -> Snapshot | None:
        commits.append(supersede(self, old, staged, count))
        if len(commits) % 5 == 0:
            raise KilledError
        return commits[-1]

    monkeypatch.setattr(Warehouse, "supersede", dying)
    for attempt in range(100):
        try:
            run(warehouse, now=NOW + timedelta(minutes=attempt))
            break
        except KilledError:
            pass
    assert all(users_in(path) == {STAYS} for path in on_disk(warehouse))


def test_hive_reads_the_new_snapshots_and_the_old_are_deleted_after_it_does(tables: Tables) -> None:
    warehouse = tables.warehouse
    old = write(warehouse, t.VIEW_VALUE, LAST, *rows(t.VIEW_VALUE))
    tables.sync(t.VIEW_VALUE, [old])

    def follow(table: Table, snapshots: Sequence[Snapshot]) -> None:
        assert old.path.exists()
        tables.sync(table, snapshots)

    list(forget(warehouse, ERASED, follow, NOW))
    assert not old.path.exists()
    # Tests share a metastore, and may have left partitions of other days.
    in_hive = tables.spark.table(f"{HIVE_DATABASE}.{t.VIEW_VALUE.name}").where(f"{c.DT} = '{LAST}'")
    assert [row[c.USER_ID] for row in in_hive.collect()] == [STAYS]
    assert [row[c.USER_ID] for row in tables.read(t.VIEW_VALUE, [LAST]).collect()] == [STAYS]


def test_the_command_forgets_who_is_marked_and_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine where nobody was erased it starts no Spark and touches nothing."""
    monkeypatch.setenv("STREAMREC_HOME", str(tmp_path))
    warehouse = Warehouse(tmp_path / "warehouse")
    write(warehouse, t.VIEW_VALUE, LAST, {c.USER_ID: STAYS})
    mark_erased(warehouse, GONE, LAST, NOW)
    left, fresh = tmp_path / "import-old", tmp_path / "import-new"
    for folder in (left, fresh):
        folder.mkdir()
    day_ago = datetime.now(UTC).timestamp() - 90_000
    os.utime(left, (day_ago, day_ago))
    result = CliRunner().invoke(app, ["forget"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 erased users are in no table; 1 scratch folders deleted")
    assert [left.exists(), fresh.exists()] == [False, True]
