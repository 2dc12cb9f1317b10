import pyarrow as pa
import pytest

from contracts import columns as c
from contracts.errors import SchemaMismatchError
from contracts.schema import Table
from contracts.tables import ALL_TABLES, EARLIER_VIEW

GOOD = EARLIER_VIEW.schema


@pytest.mark.parametrize("table", ALL_TABLES.values(), ids=ALL_TABLES)
def test_every_table_is_versioned_documented_and_keyed_by_its_own_columns(table: Table) -> None:
    assert table.name.rpartition("_v")[2].isdigit()
    assert table.doc.endswith(".")
    assert all(column.doc for column in table.columns)
    assert set(table.key) <= set(table.column_names)
    assert len(set(table.column_names)) == len(table.columns)


def test_column_names_are_spelt_in_one_place_only() -> None:
    known = {value for key, value in vars(c).items() if key.isupper()}
    assert {name for table in ALL_TABLES.values() for name in table.column_names} <= known


@pytest.mark.parametrize(
    ("found", "column", "message"),
    [
        (GOOD.remove(1), c.CONTENT_ID, "expected int64, found no such column"),
        (GOOD.set(0, pa.field(c.USER_ID, pa.string())), c.USER_ID, "expected int64, found string"),
        (GOOD.append(pa.field("extra", pa.int32())), "extra", "expected no such column, found int32"),
    ],
)
def test_a_wrong_schema_is_named_by_table_column_expected_and_found(
    found: pa.Schema, column: str, message: str
) -> None:
    with pytest.raises(SchemaMismatchError, match=f"table earlier_view_v1, column {column}: {message}"):
        EARLIER_VIEW.check(found)


def test_order_offset_width_and_the_partition_column_are_no_differences() -> None:
    user_feature = ALL_TABLES["user_feature_v1"]
    wide = [
        pa.field(f.name, pa.large_string() if f.type == pa.string() else pa.large_list(pa.int64()))
        if pa.types.is_list(f.type) or f.type == pa.string()
        else f
        for f in reversed(list(user_feature.schema))
    ]
    user_feature.check(pa.schema([*wide, pa.field(c.DT, pa.string())]))
