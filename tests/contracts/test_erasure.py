"""Who was erased, and what of every table is theirs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.erasure import Erased, erased_users, mark_erased, tables_with_users
from contracts.schema import Table
from contracts.snapshots import Warehouse
from contracts.tables import ALL_TABLES, CONTENT, ERASED_USER, IMPRESSION, QUARANTINE

DAY = date(2026, 1, 30)
NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
OTHERS = {
    c.STREAMER_ID,
    c.RELATED_STREAMER_ID,
    c.CONTENT_ID,
    c.BROADCAST_ID,
    c.ITEM_ID,
    c.TARGET_ID,
    c.STREAMER_IDS,
    c.RECENT_CONTENT_IDS,
    c.RECENT_STREAMER_IDS,
    c.PREFERRED_STREAMER_IDS,
    c.REQUEST_ID,
    c.EVENT_ID,
    c.POLICY_ID,
    c.SNAPSHOT_ID,
    c.EVENT_ID,
}
"""Ids of what is no user."""


def frame(table: Table, rows: list[dict[str, object]]) -> pa.Table:
    """Rows of which only some columns matter."""
    schema = pa.schema([pa.field(column.name, column.type) for column in table.columns])
    return pa.Table.from_pylist([{name: row.get(name) for name in table.column_names} for row in rows], schema)


def erased(*ids: int) -> Erased:
    return Erased(np.array(sorted(ids), np.int64))


def test_every_column_of_ids_is_known_to_be_a_users_or_not() -> None:
    """A table that names users in another column would keep them: teach `contracts.erasure` first."""
    ids = {name for table in ALL_TABLES.values() for name in table.column_names if name.endswith(("_id", "_ids"))}
    assert ids - OTHERS == {c.USER_ID, c.CREATOR_ID}


def test_all_tables_with_a_user_are_found_but_the_one_that_keeps_them_out() -> None:
    found = {table.name for table in tables_with_users()}
    naming = {name for name, table in ALL_TABLES.items() if {c.USER_ID, c.CREATOR_ID} & set(table.column_names)}
    assert found == (naming | {QUARANTINE.name}) - {ERASED_USER.name}


def test_erased_users_are_remembered_for_longer_than_any_log_is_kept() -> None:
    assert ERASED_USER.retention_days > max(table.retention_days for table in tables_with_users())


def test_a_user_is_erased_since_the_first_time(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    assert mark_erased(warehouse, 5, DAY, NOW) == NOW
    later = NOW + timedelta(days=2)
    assert mark_erased(warehouse, 5, DAY + timedelta(days=2), later) == NOW
    assert mark_erased(warehouse, -6, DAY + timedelta(days=2), later) == later
    assert erased_users(warehouse) == {5: NOW, -6: later}
    assert Erased.of(warehouse).ids.tolist() == [-6, 5]


def test_of_many_erasures_at_once_none_is_lost(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda user: mark_erased(Warehouse(tmp_path), user, DAY, NOW), range(40)))
    assert set(erased_users(Warehouse(tmp_path))) == set(range(40))


def test_nobody_is_erased_where_nobody_was(tmp_path: Path) -> None:
    assert erased_users(Warehouse(tmp_path)) == {}
    assert len(Erased.of(Warehouse(tmp_path))) == 0


def test_rows_of_the_user_go_and_those_of_nobody_known_stay() -> None:
    rows = frame(IMPRESSION, [{c.USER_ID: user} for user in (1, None, 2)])
    assert erased(1, 9).left_out_of(IMPRESSION, rows)[c.USER_ID].to_pylist() == [None, 2]


def test_a_fans_clip_stays_as_nobodys_and_a_streamers_own_as_it_is() -> None:
    made = [(10, 5), (5, 5), (10, None), (10, 6)]
    rows = frame(CONTENT, [{c.STREAMER_ID: streamer, c.CREATOR_ID: creator} for streamer, creator in made])
    assert erased(5).left_out_of(CONTENT, rows)[c.CREATOR_ID].to_pylist() == [None, 5, None, 6]


@pytest.mark.parametrize(
    ("raw", "goes"),
    [
        ('{"user_id":"-5","seconds":"x"}', True),
        ('{"who":-5}', True),
        ('{"user_id":"-51","seconds":"5"}', False),
        ('{"user_id":"name"}', False),
        (None, False),
    ],
)
def test_a_quarantined_row_goes_when_a_number_in_it_is_the_user(tmp_path: Path, raw: str | None, goes: bool) -> None:
    rows = frame(QUARANTINE, [{c.SOURCE_TABLE: "watch_event_v1", c.REASON: "wrong_type", c.RAW: raw}])
    pq.write_table(rows, tmp_path / "part.parquet")
    assert erased(-5).left_out_of(QUARANTINE, rows).num_rows == (0 if goes else 1)
    assert erased(-5).are_named_in(QUARANTINE, [tmp_path / "part.parquet"]) == goes


@pytest.mark.parametrize(
    ("table", "row", "named"),
    [
        (IMPRESSION, {c.USER_ID: 5}, True),
        (IMPRESSION, {c.USER_ID: None, c.ITEM_ID: 5}, False),
        (CONTENT, {c.STREAMER_ID: 10, c.CREATOR_ID: 5}, True),
        (CONTENT, {c.STREAMER_ID: 5, c.CREATOR_ID: 5}, False),
        (CONTENT, {c.STREAMER_ID: 5, c.CREATOR_ID: None}, False),
    ],
)
def test_a_file_that_names_an_erased_user_is_told_from_others(
    tmp_path: Path, table: Table, row: dict[str, object], named: bool
) -> None:
    pq.write_table(frame(table, [row]), tmp_path / "part.parquet")
    assert erased(5).are_named_in(table, [tmp_path / "part.parquet"]) == named
    assert not erased().are_named_in(table, [tmp_path / "part.parquet"])
    assert not erased(5).are_named_in(table, [])
