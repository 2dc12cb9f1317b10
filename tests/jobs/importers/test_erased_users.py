"""A log that still has a user who was erased does not bring them back."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

from contracts import columns as c
from contracts.erasure import mark_erased
from contracts.names import LogFormat
from contracts.settings import IngestSettings, Settings
from contracts.tables import CONTENT, QUARANTINE, USER, USER_ACTION, WATCH_EVENT
from jobs.commands.import_log import import_log
from jobs.importers.raw_log import ImportRequest
from jobs.tables import Tables
from tests.jobs.importers.logs import ROWS, csv, rows_of, write_files

JAN_30 = date(2026, 1, 30)
NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
GONE = 7_000_001
BY_GONE = (
    f"{GONE},10,clip,5,2026-01-30T10:00:00Z,12.5",
    f"{GONE},10,clip,5,2026-01-30T10:00:00Z,12.5",
    f"{GONE},10,clip,5,2026-01-30T11:00:00Z,-3",
    f"{GONE},13,film,5,2026-01-30T11:00:00Z,3",
)
ACTIONS = csv(
    f"{GONE},like,clip,10,2026-01-30T10:00:00Z",
    "1,like,clip,10,2026-01-30T10:00:00Z",
    header="user_id,action,target_kind,target_id,event_time",
)
CONTENTS = csv(
    f"10,clip,5,{GONE},public",
    f"11,vod,{GONE},{GONE},public",
    "12,clip,5,1,public",
    header="content_id,content_kind,streamer_id,creator_id,visibility",
)


def test_rows_of_an_erased_user_are_counted_and_kept_nowhere(
    tables: Tables, settings: Settings, tmp_path: Path
) -> None:
    mark_erased(tables.warehouse, GONE, JAN_30, NOW)
    broken = "2,10,clip,5,2026-01-30T11:00:00Z,-3"
    log = write_files(
        tmp_path / "log",
        {
            "watch_event/dt=2026-01-30/a.csv": csv(*ROWS, *BY_GONE, broken),
            "user_action/dt=2026-01-30/a.csv": ACTIONS,
            "content/dt=2026-01-30/a.csv": CONTENTS,
        },
    )
    lenient = settings.model_copy(update={"ingest": IngestSettings(max_quarantine_share=0.2)})
    report = import_log(tables, lenient, ImportRequest(LogFormat.WATCH_EVENT, log, first=JAN_30, last=JAN_30))

    assert report.quarantined == {
        (WATCH_EVENT.name, "erased"): 4,
        (WATCH_EVENT.name, "negative_seconds"): 1,
        (USER_ACTION.name, "erased"): 1,
    }
    assert report.bad(WATCH_EVENT) == 1
    assert "watch_event_v1: 8 rows read, 3 kept; quarantined: erased 4, negative_seconds 1" in report.lines()
    assert Counter(row[c.USER_ID] for row in rows_of(tables.warehouse, WATCH_EVENT)) == {1: 2, 2: 1}
    assert [row[c.USER_ID] for row in rows_of(tables.warehouse, USER_ACTION)] == [1]
    assert [row[c.USER_ID] for row in rows_of(tables.warehouse, USER)] == [1, 2]
    assert [row[c.REASON] for row in rows_of(tables.warehouse, QUARANTINE)] == ["negative_seconds"]
    creators = {row[c.CONTENT_ID]: row[c.CREATOR_ID] for row in rows_of(tables.warehouse, CONTENT)}
    assert creators == {10: None, 11: GONE, 12: 1}  # whose stream it is, is public; who cut a clip of it, is not
