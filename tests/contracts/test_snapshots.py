import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import CorruptSnapshotError, MissingPartitionError, SchemaMismatchError
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import EARLIER_VIEW

DAY = date(2026, 1, 1)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def rows(*user_ids: int) -> pa.Table:
    records = [(user, 7, place, None) for place, user in enumerate(user_ids)]
    columns = [
        pa.array(values, f.type) for values, f in zip(zip(*records, strict=True), EARLIER_VIEW.schema, strict=True)
    ]
    return pa.table(columns, schema=EARLIER_VIEW.schema)


def write(warehouse: Warehouse, *user_ids: int, minutes: int = 0, inputs: tuple[Snapshot, ...] = ()) -> Snapshot:
    return warehouse.write(EARLIER_VIEW, DAY, rows(*user_ids), inputs, NOW + timedelta(minutes=minutes))


def users(warehouse: Warehouse) -> list[int]:
    return warehouse.read(EARLIER_VIEW, DAY).column(0).to_pylist()


def test_a_reader_sees_the_last_committed_snapshot(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, 1, 2)
    write(warehouse, 3, minutes=1)
    assert users(warehouse) == [3]
    assert warehouse.dates(EARLIER_VIEW) == [DAY]


def test_what_is_staged_but_not_committed_is_not_seen(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, 1)
    staged = warehouse.stage(EARLIER_VIEW, DAY, NOW + timedelta(minutes=1))
    staged.mkdir()
    (staged / "part-00000.parquet").write_bytes(b"half a file")
    assert users(warehouse) == [1]


def test_a_reader_that_resolved_the_snapshot_before_a_commit_can_still_read_it(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    old = write(warehouse, 1)
    write(warehouse, 2, minutes=1)
    assert warehouse.read_snapshot(EARLIER_VIEW, old).column(0).to_pylist() == [1]


def test_only_the_last_two_committed_snapshots_are_kept(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    written = [write(warehouse, user, minutes=user) for user in range(4)]
    kept = {path.name for path in warehouse.partition_path(EARLIER_VIEW, DAY).glob("snapshot=*")}
    assert kept == {f"snapshot={snapshot.snapshot_id}" for snapshot in written[-2:]}


def test_what_a_killed_writer_left_is_swept_after_a_day_and_not_before(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    abandoned = warehouse.stage(EARLIER_VIEW, DAY, NOW)
    abandoned.mkdir()
    write(warehouse, 1, minutes=60)
    assert abandoned.exists()
    write(warehouse, 1, minutes=25 * 60)
    assert not abandoned.exists()


def test_the_manifest_names_rows_and_input_snapshots(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    first = write(warehouse, 1)
    second = write(warehouse, 1, 2, minutes=1, inputs=(first,))
    assert warehouse.current(EARLIER_VIEW, DAY) == second
    assert second.rows == 2
    assert second.inputs == {"earlier_view_v1/2026-01-01": first.snapshot_id}


def test_a_missing_partition_says_which_job_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingPartitionError, match="run first: python -m jobs import_log --date 2026-01-01"):
        Warehouse(tmp_path).read(EARLIER_VIEW, DAY)


def test_a_pointer_to_nothing_is_a_named_error(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    shutil.rmtree(write(warehouse, 1).path)
    with pytest.raises(CorruptSnapshotError, match="run python -m jobs import_log for this day again"):
        warehouse.read(EARLIER_VIEW, DAY)


def test_a_wrong_schema_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    with pytest.raises(SchemaMismatchError):
        warehouse.write(EARLIER_VIEW, DAY, rows(1).drop_columns(["position"]), (), NOW)
    assert not list(tmp_path.rglob("snapshot=*"))


def test_slowly_changing_tables_are_read_as_of_a_day(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, 1)
    assert warehouse.latest(EARLIER_VIEW, DAY - timedelta(days=1)) is None
    latest = warehouse.latest(EARLIER_VIEW, DAY + timedelta(days=30))
    assert latest is not None
    assert latest.dt == "2026-01-01"


def test_tools_that_know_nothing_of_snapshots_can_glob_the_current_files(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    write(warehouse, 1)
    write(warehouse, 2, minutes=1)
    files = list((tmp_path / EARLIER_VIEW.name).glob("dt=*/current/*.parquet"))
    assert [os.path.realpath(file) for file in files] == [
        str(warehouse.require(EARLIER_VIEW, DAY).path / "part-00000.parquet")
    ]


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_batches_hold_the_rows_of_all_files_in_order(tmp_path: Path, at_once: int) -> None:
    warehouse = Warehouse(tmp_path)
    snapshot = write(warehouse, 1, 2, 3)
    shutil.copy(snapshot.path / "part-00000.parquet", snapshot.path / "part-00001.parquet")
    batches = list(warehouse.batches(EARLIER_VIEW, snapshot, ["user_id"], at_once))
    assert [user for batch in batches for user in batch.column("user_id").to_pylist()] == [1, 2, 3, 1, 2, 3]
    assert all(batch.num_rows <= at_once + 2 for batch in batches)


def test_batches_of_another_schema_are_refused(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    snapshot = write(warehouse, 1)
    pq.write_table(pa.table({"user_id": ["one"]}), snapshot.path / "part-00001.parquet")
    with pytest.raises(SchemaMismatchError):
        list(warehouse.batches(EARLIER_VIEW, snapshot, ["user_id"], 10))


def copied(warehouse: Warehouse, *user_ids: int, minutes: int) -> Path:
    staged = warehouse.stage(EARLIER_VIEW, DAY, NOW + timedelta(minutes=minutes))
    staged.mkdir()
    pq.write_table(rows(*user_ids), staged / "part-00000.parquet")
    return staged


def test_a_snapshot_that_supersedes_another_stands_for_it_and_for_those_before(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    first = write(warehouse, 1, 2, 3)
    second = warehouse.supersede(first, copied(warehouse, 1, 2, minutes=1), 2)
    assert second is not None
    third = warehouse.supersede(second, copied(warehouse, 1, minutes=2), 1)
    assert third is not None
    assert third == warehouse.current(EARLIER_VIEW, DAY)
    assert third.stands_for == (first.snapshot_id, second.snapshot_id)
    assert (third.rows, users(warehouse)) == (1, [1])


def test_what_was_committed_since_is_not_superseded(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    old = write(warehouse, 1, 2)
    staged = copied(warehouse, 1, minutes=1)
    write(warehouse, 7, minutes=2)
    assert warehouse.supersede(old, staged, 1) is None
    assert users(warehouse) == [7]
    assert not staged.exists()


def test_a_purge_deletes_old_snapshots_that_must_go_and_what_killed_writers_left(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    old, current = write(warehouse, 1), write(warehouse, 2, minutes=1)
    left, begun = copied(warehouse, 3, minutes=2), copied(warehouse, 4, minutes=24 * 60)
    later = NOW + timedelta(days=1, minutes=3)
    assert warehouse.purge(EARLIER_VIEW, DAY, later, lambda _: False) == 1
    assert [path.exists() for path in (old.path, current.path, left, begun)] == [True, True, False, True]
    assert warehouse.purge(EARLIER_VIEW, DAY, later, lambda _: True) == 1
    assert [path.exists() for path in (old.path, current.path, begun)] == [False, True, True]


def test_days_are_begun_before_anything_of_them_is_committed(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.stage(EARLIER_VIEW, DAY, NOW)
    assert (warehouse.begun(EARLIER_VIEW), warehouse.dates(EARLIER_VIEW)) == ([DAY], [])


def test_only_one_of_the_writers_that_add_to_a_table_is_at_work(tmp_path: Path) -> None:
    warehouse, inside, most = Warehouse(tmp_path), [0], [0]

    def add(_: int) -> None:
        with warehouse.exclusive(EARLIER_VIEW):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(20)))
    assert most == [1]
