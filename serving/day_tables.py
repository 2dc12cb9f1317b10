"""What a publish reads: the tables of a day, in batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa

from contracts import columns as c
from contracts.erasure import Erased
from contracts.schema import Table
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import (
    CANDIDATE_LIST,
    NEXT_CONTENT,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    SEGMENT_LIST,
    USER_FEATURE,
    USER_VECTOR,
)
from serving.fresh.published import contents_known, read_user_vectors
from serving.newest import NEWEST_COLUMNS

_CANDIDATE: Final = [c.RANK, c.ITEM_KIND, c.ITEM_ID, c.STREAMER_ID, c.SOURCE, c.SCORE]
_OF_USERS: Final = [c.USER_ID, c.SEGMENT, c.PREFERRED_STREAMER_IDS, c.RECENT_STREAMER_IDS]
Batches = Iterable[pa.Table]


@dataclass(frozen=True)
class DayTables:
    """The tables of a publish without erased users, in batches that fit in memory.

    Args:
        newest: Of the representative contents, what the newest ones are found by.
        vectors: The users' vectors.
        contents: The day of the contents behind the lists, and until when, where that was before the day's end.
    """

    lists: Batches
    segment_lists: Batches
    channels: Batches
    related: Batches
    followers: Batches
    users: Batches
    newest: pa.Table
    vectors: pa.Table
    contents: tuple[str, str]

    @classmethod
    def of(cls, warehouse: Warehouse, day: date, rows: int) -> "DayTables":
        """Of a day; nothing is read yet.

        Raises:
            MissingPartitionError: a job of that day has not run.
        """

        erased = Erased.of(warehouse)

        def batches(table: Table, snapshot: Snapshot, columns: list[str]) -> Batches:
            kept = (erased.left_out_of(table, part) for part in warehouse.batches(table, snapshot, columns, rows))
            return filter(len, kept)

        def newest(table: Table) -> Snapshot:
            """The day's partition, or one before it: a running day has none of the slower tables yet."""
            return warehouse.latest(table, day) or warehouse.require(table, day)

        lists, segments, channels, related = (
            warehouse.require(table, day)
            for table in (CANDIDATE_LIST, SEGMENT_LIST, REPRESENTATIVE_VOD, RELATED_STREAMER)
        )
        return cls(
            batches(CANDIDATE_LIST, lists, [c.USER_ID, c.SURFACE, c.MODEL_VERSION, *_CANDIDATE]),
            batches(SEGMENT_LIST, segments, [c.SEGMENT, c.SURFACE, *_CANDIDATE]),
            batches(REPRESENTATIVE_VOD, channels, [c.STREAMER_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.SCORE]),
            batches(RELATED_STREAMER, related, [c.STREAMER_ID, c.RANK, c.RELATED_STREAMER_ID, c.SCORE]),
            batches(
                NEXT_CONTENT,
                newest(NEXT_CONTENT),
                [c.TARGET_ID, c.RANK, c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID, c.SOURCE, c.SCORE],
            ),
            batches(USER_FEATURE, newest(USER_FEATURE), _OF_USERS),
            warehouse.read_snapshot(REPRESENTATIVE_VOD, channels, NEWEST_COLUMNS),
            erased.left_out_of(USER_VECTOR, read_user_vectors(warehouse, day)),
            contents_known(warehouse, day),
        )
