"""`Table` and `Column`: a table's name, Arrow schema, documentation, key, owner and retention in one value."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from contracts import columns as c
from contracts.errors import SchemaMismatchError

INT32 = pa.int32()
INT64 = pa.int64()
FLOAT64 = pa.float64()
BOOL = pa.bool_()
STRING = pa.string()
BINARY = pa.binary()
DATE = pa.date32()
TIMESTAMP = pa.timestamp("us", tz="UTC")
INT64_LIST = pa.list_(pa.int64())
STRING_LIST = pa.list_(pa.string())
FLOAT32_LIST = pa.list_(pa.float32())
DATE_LIST = pa.list_(pa.date32())


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means and in which unit; nullable only where a value can be unknown."""

    name: str
    type: pa.DataType
    doc: str
    unit: str = ""
    nullable: bool = False

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, self.nullable, {"doc": self.doc, "unit": self.unit})


@dataclass(frozen=True)
class Table:
    """A versioned table.

    Adding a nullable column keeps the version; any other change makes a new one.

    Args:
        name: Name with version, `watch_event_v1`.
        doc: One sentence: what a row is.
        columns: Columns stored in the files; the partition columns come from the path.
        key: Columns that are unique together within a partition.
        owner: The command that writes it, as one runs it without its date.
        retention_days: After how many days a partition may be removed; 0 keeps it for ever.
        partitions: Partition columns, in path order.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    owner: str
    retention_days: int
    partitions: tuple[str, ...] = (c.DT,)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([column.field for column in self.columns])

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def check(self, found: pa.Schema, *, written_before: bool = False) -> None:
        """Raise `SchemaMismatchError` at the first column that differs; order and nullability do not matter.

        Args:
            written_before: A nullable column may be missing: it has come since.
        """
        for column in self.columns:
            index = found.get_field_index(column.name)
            if index < 0 and column.nullable and written_before:
                continue
            if index < 0:
                raise SchemaMismatchError(self.name, column.name, str(column.type), "no such column")
            if not _same_type(column.type, found.field(index).type):
                raise SchemaMismatchError(self.name, column.name, str(column.type), str(found.field(index).type))
        for name in _unexpected(self, found.names):
            raise SchemaMismatchError(self.name, name, "no such column", str(found.field(name).type))

    def read_schema(self, found: pa.Schema) -> pa.Schema:
        """What files of a checked schema are read as: columns that have come since are null."""
        return pa.schema([*found, *(column.field for column in self.columns if column.name not in found.names)])


def _unexpected(table: Table, names: Iterable[str]) -> list[str]:
    known = {*table.column_names, *table.partitions}
    return [name for name in names if name not in known]


def _same_type(expected: pa.DataType, found: pa.DataType) -> bool:
    return _plain(expected) == _plain(found)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Engines differ in offset width and list field names; those are not differences of type."""
    if pa.types.is_large_string(kind):
        return STRING
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind
