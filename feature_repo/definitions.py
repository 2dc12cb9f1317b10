"""What Feast knows of streamrec: entities, feature views over the derived tables, and two services.

Declarations only. The same ones hold on every offline store; only the sources differ (`feature_repo.sources`).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pyarrow as pa
from feast import Entity, FeatureService, FeatureView, Field, ValueType
from feast.data_source import DataSource
from feast.types import Array, Bool, FeastType, Float64, Int32, Int64, String

from contracts import columns as c
from contracts import names
from contracts.schema import BOOL, FLOAT64, INT32, INT64, INT64_LIST, STRING, STRING_LIST, Table
from contracts.tables import CONTENT_VALUE, STREAMER_FEATURE, USER_FEATURE

USER: Final = Entity(name=names.ENTITY_USER, join_keys=[c.USER_ID], value_type=ValueType.INT64)
STREAMER: Final = Entity(name=names.ENTITY_STREAMER, join_keys=[c.STREAMER_ID], value_type=ValueType.INT64)
CONTENT: Final = Entity(name=names.ENTITY_CONTENT, join_keys=[c.CONTENT_ID], value_type=ValueType.INT64)

_FEAST_TYPES: Final[dict[pa.DataType, FeastType]] = {
    INT32: Int32,
    INT64: Int64,
    FLOAT64: Float64,
    BOOL: Bool,
    STRING: String,
    INT64_LIST: Array(Int64),
    STRING_LIST: Array(String),
}


def definitions(source_of: Callable[[Table], DataSource], ttl_days: int) -> list[Entity | FeatureView | FeatureService]:
    """Everything that `apply` registers, in the order in which it refers to each other.

    Args:
        source_of: Where the offline store finds a table.
        ttl_days: Age from which a row is no longer joined.
    """
    source = {table: source_of(table) for table in (USER_FEATURE, STREAMER_FEATURE, CONTENT_VALUE)}
    ttl = timedelta(days=ttl_days)
    user = FeatureView(
        name=names.VIEW_USER,
        entities=[USER],
        ttl=ttl,
        schema=_fields(USER_FEATURE),
        source=source[USER_FEATURE],
        online=True,
        description=USER_FEATURE.doc,
    )
    streamer = FeatureView(
        name=names.VIEW_STREAMER,
        entities=[STREAMER],
        ttl=ttl,
        schema=_fields(STREAMER_FEATURE),
        source=source[STREAMER_FEATURE],
        online=False,
        description=STREAMER_FEATURE.doc,
    )
    content = FeatureView(
        name=names.VIEW_CONTENT,
        entities=[CONTENT],
        ttl=ttl,
        schema=_fields(CONTENT_VALUE, without=(c.STREAMER_ID, c.CONTENT_KIND)),
        source=source[CONTENT_VALUE],
        online=False,
        description=CONTENT_VALUE.doc,
    )
    training = FeatureService(name=names.SERVICE_TRAINING, features=[user, streamer, content])
    # A request needs the user's row only. Items are scored by hundreds, and Feast spends 80 us of Python on each.
    serving = FeatureService(name=names.SERVICE_SERVING, features=[user])
    return [USER, STREAMER, CONTENT, user, streamer, content, training, serving]


def _fields(table: Table, without: tuple[str, ...] = ()) -> list[Field]:
    """A table's columns as Feast fields; `without` are those that the labels themselves carry."""
    return [
        Field(name=column.name, dtype=_FEAST_TYPES[column.type], description=column.doc, tags=_unit(column.unit))
        for column in table.columns
        if column.name not in (*without, c.AVAILABLE_AT)
    ]


def _unit(unit: str) -> dict[str, str]:
    return {"unit": unit} if unit else {}
