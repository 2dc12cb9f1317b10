from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from contracts import columns as c
from contracts.names import Verdict
from contracts.settings import ChecksSettings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, STREAMER, WATCH_EVENT
from jobs.checks.unknown_ids import unknown_ids
from tests.jobs.commands.three_days import watch, write

DAY = date(2026, 1, 10)
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def test_rows_whose_id_the_catalogue_lacks_are_counted(tmp_path: Path) -> None:
    warehouse, yesterday = Warehouse(tmp_path), DAY - timedelta(days=1)
    write(warehouse, CONTENT, yesterday, {c.CONTENT_ID: 20})
    write(warehouse, STREAMER, yesterday, {c.STREAMER_ID: 5})
    rows = [watch(1, 20, 5, 9.0, NOON), watch(2, 99, 5, 9.0, NOON), watch(3, 70, 6, 9.0, NOON, kind="live")]
    log = write(warehouse, WATCH_EVENT, DAY, *rows)
    contents, streamers = unknown_ids(warehouse, log, ChecksSettings(max_unknown_share=0.4))
    assert (contents.column, contents.value, contents.verdict) == (c.CONTENT_ID, 1 / 2, Verdict.FAILED)
    assert (streamers.column, streamers.value, streamers.verdict) == (c.STREAMER_ID, 1 / 3, Verdict.PASSED)


def test_a_log_without_a_catalogue_has_no_unknown_ids(tmp_path: Path) -> None:
    log = write(Warehouse(tmp_path), WATCH_EVENT, DAY, watch(1, 20, 5, 9.0, NOON))
    assert list(unknown_ids(Warehouse(tmp_path), log, ChecksSettings())) == []
