"""Every table of streamrec by name."""

from contracts.schema import Table
from contracts.tables import derived, raw
from contracts.tables.derived import (
    CANDIDATE_LIST,
    CHECK_RESULT,
    CONTENT_VALUE,
    EXPLORATION_CANDIDATE,
    EXPLORATION_REPORT,
    LIVE_CANDIDATE,
    NEXT_CONTENT,
    POPULAR_ITEM,
    PREFERENCE_STATE,
    PREFERRED_STREAMER,
    RELATED_STREAMER,
    REPRESENTATIVE_VOD,
    RETRIEVED_CANDIDATE,
    SEGMENT_LIST,
    STREAMER_FEATURE,
    STREAMER_ORIENTATION,
    TRAINING_EXAMPLE,
    USER_FEATURE,
    VIEW_VALUE,
)
from contracts.tables.raw import (
    BROADCAST,
    CONTENT,
    EARLIER_VIEW,
    FEEDBACK,
    IMPRESSION,
    POSTERIOR_EPOCH,
    QUARANTINE,
    STREAMER,
    USER,
    USER_ACTION,
    WATCH_EVENT,
)

RAW_TABLES = tuple(value for value in vars(raw).values() if isinstance(value, Table))
DERIVED_TABLES = tuple(value for value in vars(derived).values() if isinstance(value, Table))
ALL_TABLES = {table.name: table for table in (*RAW_TABLES, *DERIVED_TABLES)}

__all__ = [
    "ALL_TABLES",
    "BROADCAST",
    "CANDIDATE_LIST",
    "CHECK_RESULT",
    "CONTENT",
    "CONTENT_VALUE",
    "DERIVED_TABLES",
    "EARLIER_VIEW",
    "EXPLORATION_CANDIDATE",
    "EXPLORATION_REPORT",
    "FEEDBACK",
    "IMPRESSION",
    "LIVE_CANDIDATE",
    "NEXT_CONTENT",
    "POPULAR_ITEM",
    "POSTERIOR_EPOCH",
    "PREFERENCE_STATE",
    "PREFERRED_STREAMER",
    "QUARANTINE",
    "RAW_TABLES",
    "RELATED_STREAMER",
    "REPRESENTATIVE_VOD",
    "RETRIEVED_CANDIDATE",
    "SEGMENT_LIST",
    "STREAMER",
    "STREAMER_FEATURE",
    "STREAMER_ORIENTATION",
    "TRAINING_EXAMPLE",
    "USER",
    "USER_ACTION",
    "USER_FEATURE",
    "VIEW_VALUE",
    "WATCH_EVENT",
]
