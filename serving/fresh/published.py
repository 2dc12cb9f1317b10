"""What a publish adds for the fresh lane: the users' vectors, and what its generation says of vectors and contents."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.byte_strings import ByteStrings
from contracts.errors import PayloadError
from contracts.packed_vector import pack_vectors
from contracts.snapshots import Warehouse
from contracts.tables import CANDIDATE_LIST, CONTENT, USER_VECTOR

_PACKED_AT_ONCE: Final = 2_000


def read_user_vectors(warehouse: Warehouse, day: date) -> pa.Table:
    """The newest vectors until the day; none where no model has written any, or only some that are kept no more."""
    newest = warehouse.latest(USER_VECTOR, day)
    oldest = day - timedelta(days=USER_VECTOR.retention_days)
    if newest is None or date.fromisoformat(newest.dt) < oldest:
        return USER_VECTOR.schema.empty_table()
    return warehouse.read_snapshot(USER_VECTOR, newest, [c.USER_ID, c.VECTOR, c.MODEL_VERSION])


def vector_batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """The vectors by user, some at a time.

    Raises:
        PayloadError: vectors of several lengths.
    """
    if not pc.all(pc.equal(pc.list_value_length(rows.column(c.VECTOR)), _dim(rows)), min_count=0).as_py():
        raise PayloadError(f"{USER_VECTOR.name} holds vectors of several lengths; run again: {USER_VECTOR.owner}")
    yield from rows.sort_by(c.USER_ID).to_batches(max_chunksize=_PACKED_AT_ONCE)


def packed_vectors(rows: pa.RecordBatch) -> ByteStrings:
    """Every user's packed vector.

    Raises:
        PayloadError: one without a direction.
    """
    vectors = rows.column(c.VECTOR)
    return pack_vectors(vectors.flatten().to_numpy().reshape(len(rows), -1))


def vector_model(rows: pa.Table) -> tuple[str, str]:
    """Version of the model that made the users' vectors, and their length."""
    return (rows.column(c.MODEL_VERSION)[0].as_py(), str(_dim(rows))) if len(rows) else ("", "0")


def contents_known(warehouse: Warehouse, day: date) -> tuple[str, str]:
    """The day of the contents behind the lists, and until when, where that was before the day's end."""
    contents, lists = warehouse.latest(CONTENT, day), warehouse.require(CANDIDATE_LIST, day)
    if contents is None:
        return "", ""
    ends = [snapshot.until.isoformat() for snapshot in (contents, lists) if snapshot.until is not None]
    return contents.dt, min(ends, default="")


def _dim(rows: pa.Table) -> int:
    return len(rows.column(c.VECTOR)[0]) if len(rows) else 0
