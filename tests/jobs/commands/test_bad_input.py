"""What the systems do with odd input, from the watch log to the lists: the table of docs/systems.md, row by row."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts import tables as t
from contracts.names import Check, Source, Surface, Verdict
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from jobs.checks.results import Result
from jobs.commands.backfill import Backfill
from jobs.commands.candidate_lists import without
from jobs.commands.check import check
from jobs.commands.registry import JOBS
from tests.jobs.commands.three_days import NOW, watch, write

DAYS: Final = [date(2026, 1, day) for day in (7, 8, 9, 10)]
LAST: Final = DAYS[-1]
REGULARS: Final = 40
ONCE, FAST_CLOCK = 1_001, 1_002
ONLY_LIVE, UNKNOWN = 8, 90
NO_LENGTH, UNKNOWN_CLIP = 19, 900
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Platform:
    """Four days of forty users who watch VODs and broadcasts of four streamers, and what is odd."""

    settings: Settings
    warehouse: Warehouse

    def rows(self, table: Table, day: date = LAST, **wanted: object) -> Rows:
        found = self.warehouse.read(table, day).to_pylist()
        return [row for row in found if all(row[name] == value for name, value in wanted.items())]

    def failed(self) -> dict[tuple[str, Check], Result]:
        results = check(self.warehouse, self.settings, LAST)
        failed = [result for result in results if result.finding.verdict is Verdict.FAILED]
        return {(result.table, result.finding.check): result for result in failed}


@pytest.fixture(scope="module")
def platform(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The last day has no broadcast."""
    settings = without(Settings(home=tmp_path_factory.mktemp("odd")), [Source.TWO_TOWER])
    made = Platform(settings, Warehouse(settings.warehouse_path))
    for day in DAYS:
        write(made.warehouse, t.WATCH_EVENT, day, *usual_rows(day, REGULARS), *odd_rows(day))
    write_catalogue(made.warehouse)
    write(made.warehouse, t.IMPRESSION, LAST)
    backfill = Backfill(spark, settings, NOW, lambda _: None)
    backfill.run([job for job in JOBS if job.in_backfill], DAYS[0], DAYS[-2])
    backfill.run(JOBS, LAST, LAST)
    return made


@pytest.fixture(scope="module")
def crowded(platform: Platform, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The same, with ten times the users on the last day."""
    home = tmp_path_factory.mktemp("crowded")
    settings = platform.settings.model_copy(update={"home": home})
    shutil.copytree(platform.warehouse.root, settings.warehouse_path, symlinks=True)
    made = Platform(settings, Warehouse(settings.warehouse_path))
    write(made.warehouse, t.WATCH_EVENT, LAST, *usual_rows(LAST, 10 * REGULARS), *odd_rows(LAST))
    Backfill(spark, settings, NOW, lambda _: None).run(JOBS, LAST, LAST)
    return made


def at(day: date, minutes: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minutes)


def usual_rows(day: date, users: int) -> Iterator[dict[str, object]]:
    """Of every user two VODs of two streamers and, but on the last day, a broadcast."""
    for user in range(1, users + 1):
        first, second = 1 + user % 4, 1 + (user + 1) % 4
        seconds = 30.0 + (user * 7 + day.day * 13) % 500
        yield watch(user, 10 * first + day.day % 2, first, seconds, at(day, 600 + user), kind="vod")
        yield watch(user, 10 * second, second, 600.0 - seconds, at(day, 700 + user), kind="vod")
        if day != LAST:
            streamer = ONLY_LIVE if user % 5 == 0 else first
            seconds = 2_400.0 if streamer == ONLY_LIVE else 1_200.0
            yield watch(user, 1_000 * day.day + streamer, streamer, seconds, at(day, 900 + user), kind="live")


def odd_rows(day: date) -> Iterator[dict[str, object]]:
    if day == DAYS[-2]:
        yield watch(FAST_CLOCK, 20, 2, 300.0, at(LAST, 3), kind="vod")  # arrives before it has begun
    if day == LAST:
        yield watch(ONCE, 20, 2, 300.0, at(day, 720), kind="vod")
        yield watch(FAST_CLOCK, 30, 3, 300.0, at(day, 720), kind="vod")
        yield watch(1, NO_LENGTH, 1, 400.0, at(day, 800), kind="vod")
        yield watch(2, NO_LENGTH, 1, 20.0, at(day, 800), kind="vod")
        for user in range(1, 9):
            yield watch(user, UNKNOWN_CLIP, UNKNOWN, 100.0 + user, at(day, 850))


def write_catalogue(warehouse: Warehouse) -> None:
    vods = [
        {c.CONTENT_ID: 10 * streamer + number, c.STREAMER_ID: streamer, c.DURATION_SECONDS: 600.0}
        for streamer in range(1, 5)
        for number in range(2)
    ]
    vods.append({c.CONTENT_ID: NO_LENGTH, c.STREAMER_ID: 1})
    write(
        warehouse, t.CONTENT, DAYS[0], *({c.CONTENT_KIND: "vod", c.PUBLISHED_AT: at(DAYS[0], 0), **vod} for vod in vods)
    )
    known = [{c.STREAMER_ID: streamer, c.CATEGORY: "games"} for streamer in (1, 2, 3, 4, ONLY_LIVE)]
    write(warehouse, t.STREAMER, DAYS[0], *known)


def listed(platform: Platform, surface: Surface, user: int) -> list[int]:
    rows = platform.rows(t.CANDIDATE_LIST, surface=surface.value, user_id=user)
    return [row[c.ITEM_ID] for row in sorted(rows, key=lambda row: row[c.RANK])]


def test_a_user_with_one_view_prefers_nobody_and_gets_the_lists_of_newcomers(platform: Platform) -> None:
    (view,) = platform.rows(t.VIEW_VALUE, user_id=ONCE)
    assert 0 < view[c.VALUE] < 1
    (features,) = platform.rows(t.USER_FEATURE, user_id=ONCE)
    assert (features[c.SEGMENT], features[c.VIEWS], features[c.PREFERRED_STREAMER_IDS]) == ("new", 1, [])
    (orientation,) = platform.rows(t.STREAMER_ORIENTATION, user_id=ONCE)
    assert (orientation[c.ORIENTATION], orientation[c.IS_STREAMER_ORIENTED]) == (0.0, False)
    assert {row[c.SOURCE] for row in platform.rows(t.CANDIDATE_LIST, user_id=ONCE)} == {Source.POPULAR}
    assert 20 not in listed(platform, Surface.HOME_CLIPS, ONCE)  # seen


def test_one_view_of_a_user_who_watches_one_streamer_has_no_voice(platform: Platform) -> None:
    """A content is no better for accounts that give nothing to compare it with."""
    (value,) = platform.rows(t.CONTENT_VALUE, content_id=20)
    assert value[c.EFFECTIVE_VIEWERS] < value[c.VIEWERS] - 1


def test_a_streamer_without_vods_is_preferred_and_shown_live_but_has_no_channel(platform: Platform) -> None:
    users = platform.rows(t.USER_FEATURE)
    fan = next(user[c.USER_ID] for user in users if ONLY_LIVE in user[c.PREFERRED_STREAMER_IDS])
    assert platform.rows(t.POPULAR_ITEM, item_id=ONLY_LIVE, item_kind="streamer")
    assert platform.rows(t.REPRESENTATIVE_VOD, streamer_id=ONLY_LIVE) == []
    assert ONLY_LIVE in listed(platform, Surface.HOME_LIVE, fan)
    favorites = platform.rows(t.CANDIDATE_LIST, surface=Surface.FAVORITES_CLIPS.value, user_id=fan)
    assert favorites
    assert ONLY_LIVE not in {row[c.STREAMER_ID] for row in favorites}


def test_a_vod_without_a_length_is_valued_by_its_seconds_and_seen_after_many(platform: Platform) -> None:
    values = {row[c.USER_ID]: row for row in platform.rows(t.VIEW_VALUE, content_id=NO_LENGTH)}
    assert {row[c.COMPLETION] for row in values.values()} == {None}
    assert values[2][c.VALUE] < 0.5 < values[1][c.VALUE]
    assert platform.rows(t.CONTENT_VALUE, content_id=NO_LENGTH)
    assert NO_LENGTH not in listed(platform, Surface.HOME_CLIPS, 1)
    assert NO_LENGTH in listed(platform, Surface.HOME_CLIPS, 2)


def test_a_row_of_a_fast_clock_counts_on_the_day_that_it_names(platform: Platform) -> None:
    """Up to `ingest.max_future_minutes`; what is later, or older than `late_days`, is quarantined on import."""
    (early,) = platform.rows(t.VIEW_VALUE, DAYS[-2], user_id=FAST_CLOCK)
    assert early[c.VIEW_DAY] == LAST
    assert platform.rows(t.USER_FEATURE, DAYS[-2], user_id=FAST_CLOCK) == []
    assert platform.rows(t.TRAINING_EXAMPLE, DAYS[-2], user_id=FAST_CLOCK) == []
    (features,) = platform.rows(t.USER_FEATURE, user_id=FAST_CLOCK)
    assert (features[c.VIEWS], features[c.ACTIVE_DAYS]) == (2, 1)


def test_a_day_without_broadcasts_still_has_live_lists_of_the_days_before(platform: Platform) -> None:
    assert platform.rows(t.VIEW_VALUE, content_kind="live") == []
    assert set(listed(platform, Surface.HOME_LIVE, 1)) >= {1, 2, 3, 4}
    assert (t.WATCH_EVENT.name, Check.ROW_COUNT) not in platform.failed()


def test_ids_that_the_catalogue_lacks_count_are_listed_and_warned_of(platform: Platform) -> None:
    assert len(platform.rows(t.VIEW_VALUE, content_id=UNKNOWN_CLIP)) == 8
    (vod,) = platform.rows(t.REPRESENTATIVE_VOD, content_id=UNKNOWN_CLIP)
    assert (vod[c.STREAMER_ID], vod[c.RECENCY], vod[c.CREATOR_ID]) == (UNKNOWN, 0.5, None)
    assert UNKNOWN_CLIP in listed(platform, Surface.HOME_CLIPS, ONCE)
    of_category = platform.rows(t.EXPLORATION_CANDIDATE, streamer_id=UNKNOWN)
    assert {row[c.EXPLORATION_KIND] for row in of_category} <= {"co_watched", "lapsed"}
    found = platform.failed()[t.WATCH_EVENT.name, Check.UNKNOWN_IDS]
    assert found.finding.value > 0.05
    assert not found.stops


def test_a_day_on_which_nothing_was_shown_has_an_empty_report(platform: Platform) -> None:
    assert platform.rows(t.EXPLORATION_REPORT) == []


def test_ten_times_the_usual_volume_stops_at_the_check(crowded: Platform) -> None:
    failed = crowded.failed()
    rows = crowded.warehouse.require(t.WATCH_EVENT, LAST).rows
    stopping = {table for (table, which), result in failed.items() if which is Check.ROW_COUNT and result.stops}
    assert stopping >= {t.WATCH_EVENT.name, t.VIEW_VALUE.name}
    assert rows > failed[t.WATCH_EVENT.name, Check.ROW_COUNT].finding.upper


def test_ten_times_the_usual_volume_is_computed_all_the_same(platform: Platform, crowded: Platform) -> None:
    """Whoever marks the check as successful, because the day was so, has lists for everybody."""
    assert len(crowded.rows(t.USER_FEATURE)) == len(platform.rows(t.USER_FEATURE)) + 9 * REGULARS
    assert {row[c.USER_ID] for row in crowded.rows(t.CANDIDATE_LIST)} == {
        row[c.USER_ID] for row in crowded.rows(t.USER_FEATURE)
    }
    assert all(0 <= row[c.VALUE] <= 1 for row in crowded.rows(t.VIEW_VALUE))
    assert {row[c.WEIGHT_REASON] for row in crowded.rows(t.VIEW_VALUE)} == {None}


@pytest.mark.parametrize("table", [job.writes for job in JOBS], ids=lambda table: table.name)
@pytest.mark.parametrize("volume", ["usual", "tenfold"])
def test_no_system_writes_a_number_that_is_none(
    platform: Platform, crowded: Platform, table: Table, volume: str
) -> None:
    rows = (crowded if volume == "tenfold" else platform).rows(table)
    assert not [
        value for row in rows for value in row.values() if isinstance(value, float) and not math.isfinite(value)
    ]
