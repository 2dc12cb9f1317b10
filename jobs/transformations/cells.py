"""Cells of a log into typed columns: a value, and whether the cell held something that is no such value."""

from dataclasses import dataclass
from functools import reduce
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import DataType, DoubleType, FloatType

_INTEGRAL_FRACTION: Final = r"\.0*$"
_OWN_ZONE: Final = r":\d{2}(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})$"
_POSITIVE_MASK: Final = 0x7FFF_FFFF_FFFF_FFFF
SQL_TYPES: Final = {
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


@dataclass(frozen=True)
class Cell:
    """A typed value, null where unknown, and whether the source held something else than that type."""

    value: Column
    malformed: Column


def from_source(frame: DataFrame, name: str, wanted: pa.DataType) -> Cell:
    """A source column as the type that the table wants; one that has it already is taken as it is."""
    found = frame.schema[name].dataType
    source = f.col(f"`{name}`")
    sql_type = SQL_TYPES[wanted]
    if found.simpleString() == sql_type:
        malformed = ~f.is_valid_utf8(source) if sql_type == "string" else f.lit(False)
        return Cell(source, f.coalesce(malformed, f.lit(False)))
    return parse(as_text(source, found, wanted), wanted)


def as_text(source: Column, found: DataType, wanted: pa.DataType) -> Column:
    """A source column as text; whole floats without exponent, so that ids that pandas made floats are still ids."""
    if pa.types.is_integer(wanted) and isinstance(found, (DoubleType, FloatType)):
        return source.try_cast("decimal(38,6)").cast("string")
    return source.cast("string")


def parse(text: Column, wanted: pa.DataType) -> Cell:
    """Text as a type: `12.0` is an integer, `1` a boolean, a time without zone UTC."""
    sql_type = SQL_TYPES[wanted]
    trimmed = f.nullif(f.trim(text), f.lit(""))
    if sql_type in ("int", "bigint", "boolean"):
        without_fraction = f.regexp_replace(trimmed, _INTEGRAL_FRACTION, "")
        # The pattern runs only where the plain cast fails: it costs more than all other cells together.
        return _cell(trimmed, f.coalesce(trimmed.try_cast(sql_type), without_fraction.try_cast(sql_type)))
    return _cell(trimmed, trimmed.try_cast(sql_type))


def number(text: Column, per_unit: float) -> Cell:
    """Text as a float64 in the table's unit; `per_unit` source units make one."""
    parsed = parse(text, pa.float64())
    return Cell(parsed.value / f.lit(float(per_unit)), parsed.malformed)


def epoch(text: Column, per_second: int) -> Cell:
    """A count of seconds, milliseconds or microseconds since 1970 as a time."""
    parsed = parse(text, pa.int64())
    micros = parsed.value.try_cast("decimal(38,0)") * f.lit(1_000_000 // per_second)
    value = f.timestamp_micros(micros.try_cast("bigint"))
    return Cell(value, parsed.malformed | (parsed.value.isNotNull() & value.isNull()))


def local_time(text: Column, time_zone: str) -> Cell:
    """A time in `time_zone`, unless the text names its own."""
    parsed = parse(text, pa.timestamp("us", tz="UTC"))
    local = f.to_utc_timestamp(parsed.value, time_zone)
    return Cell(f.when(text.rlike(_OWN_ZONE), parsed.value).otherwise(local), parsed.malformed)


def hashed(text: Column) -> Cell:
    """A name as a stable positive int64."""
    trimmed = f.nullif(f.trim(text), f.lit(""))
    value = f.xxhash64(trimmed).bitwiseAND(f.lit(_POSITIVE_MASK))
    return Cell(f.when(trimmed.isNotNull(), value), f.lit(False))


def constant(value: str | float | bool | None, wanted: pa.DataType) -> Cell:
    """The same value in every row."""
    return Cell(f.lit(value).cast(SQL_TYPES[wanted]), f.lit(False))


def any_of(conditions: list[Column]) -> Column:
    """Whether any holds; false of none."""
    return reduce(Column.__or__, conditions, f.lit(False))


def _cell(source: Column, value: Column) -> Cell:
    return Cell(value, source.isNotNull() & value.isNull())
