"""The state of preferences against a recompute from the whole log, in plain Python."""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.clock import days_between
from contracts.schema import Table
from contracts.settings import PreferenceSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import PREFERENCE_STATE, PREFERRED_STREAMER, VIEW_VALUE
from jobs.commands import preferred_streamers
from jobs.commands.readings import preferred_need, preferred_of_days
from jobs.tables import Tables
from jobs.transformations.as_of import AS_OF
from tests.jobs.frames import rows_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PREFERENCES = PreferenceSettings(half_life_days=3, list_length=3, full_every_days=5, retention_days=60)
FIRST = date.fromordinal(date(2026, 1, 10).toordinal() // 5 * 5 + 2)
"""The third day of a period: eleven days carry the state over twice."""
DAYS = list(days_between(FIRST, FIRST + timedelta(days=10)))
KINDS = ("live", "vod", "clip")
View = tuple[int, int, date]
Scores = dict[tuple[int, int], float]


def _log(seed: int) -> dict[date, list[dict[str, Any]]]:
    """Views of 12 users by partition; some grow late, and some are dated a day ahead by a fast clock."""
    rng = random.Random(seed)
    seconds: dict[View, float] = {}
    found: dict[date, list[dict[str, Any]]] = {}
    for day in DAYS:
        views = [(rng.randrange(12), rng.randrange(40), day) for _ in range(25)]
        views += [(rng.randrange(12), rng.randrange(40), day - timedelta(days=rng.choice((1, 2)))) for _ in range(5)]
        views += rng.sample([view for view in seconds if (day - view[2]).days in (0, 1, 2)], min(8, len(seconds) // 4))
        views += [(rng.randrange(12), rng.randrange(40), day + timedelta(days=1)) for _ in range(2)]
        for view in sorted(set(views)):  # a date hashes differently in every process
            seconds[view] = seconds.get(view, 0.0) + rng.choice((0.0, 2.0, 45.5, 700.25, 5000.125))
        found[day] = [_row(view, seconds[view]) for view in sorted(set(views))]
    return found


def _row(view: View, seconds: float) -> dict[str, Any]:
    user, content, day = view
    ids = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: content % 9}
    return {**ids, c.VIEW_DAY: day, c.CONTENT_KIND: KINDS[content % 3], c.WATCHED_SECONDS: seconds}


def _recomputed(log: Mapping[date, Sequence[Mapping[str, Any]]], day: date) -> Scores:
    """Score of every pair from all views known on a day; the users without enough views are left out."""
    newest: dict[View, Mapping[str, Any]] = {}
    for dt in sorted(log):
        for row in log[dt]:
            if max(dt, row[c.VIEW_DAY]) <= day:
                newest[row[c.USER_ID], row[c.CONTENT_ID], row[c.VIEW_DAY]] = row
    scores: Scores = defaultdict(float)
    visits, views = set(), defaultdict(int)
    for row in newest.values():
        if row[c.WATCHED_SECONDS] > 0:
            pair = row[c.USER_ID], row[c.STREAMER_ID]
            concave = math.log1p(row[c.WATCHED_SECONDS] / PREFERENCES.saturation_seconds)
            weight = {kind.value: value for kind, value in PREFERENCES.kind_weights.items()}[row[c.CONTENT_KIND]]
            scores[pair] += weight * concave * _decay(row[c.VIEW_DAY], day)
            visits.add((pair, row[c.VIEW_DAY]))
            views[row[c.USER_ID]] += 1
    for pair, view_day in visits:
        scores[pair] += PREFERENCES.day_weight * _decay(view_day, day)
    return {pair: score for pair, score in scores.items() if views[pair[0]] >= PREFERENCES.min_views}


def _decay(view_day: date, day: date) -> float:
    return 2.0 ** (-(day - view_day).days / PREFERENCES.half_life_days)


def _best(scores: Scores) -> Scores:
    by_user: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for (user, streamer), score in scores.items():
        by_user[user].append((-score, streamer))
    places = ((user, streamer, -loss) for user, found in by_user.items() for loss, streamer in sorted(found)[:3])
    return {(user, streamer): score for user, streamer, score in places if score >= PREFERENCES.min_score}


class Platform:
    """A warehouse with the views of a log."""

    def __init__(self, spark: SparkSession, home: Path, log: Mapping[date, Sequence[Mapping[str, Any]]]) -> None:
        self.settings = Settings(home=home, preferences=PREFERENCES)
        self.tables = Tables(spark, Warehouse(self.settings.warehouse_path), NOW)
        for day, rows in log.items():
            self.value(day, rows)

    def value(self, day: date, rows: Iterable[Mapping[str, Any]]) -> None:
        arrow = pa.Table.from_pylist(rows_of(VIEW_VALUE, *rows), VIEW_VALUE.schema)
        self.tables.warehouse.write(VIEW_VALUE, day, arrow, [], NOW)

    def run(self, *days: date) -> None:
        preferred_streamers.run(self.tables.afresh(), days, self.settings)

    def rows(self, table: Table, day: date) -> list[dict[str, Any]]:
        keys = [(key, "ascending") for key in table.key]
        return self.tables.warehouse.read(table, day).sort_by(keys).to_pylist()

    def preferred(self, *days: date) -> dict[date, Scores]:
        found: dict[date, Scores] = {day: {} for day in days}
        need = preferred_need(PREFERENCES)
        for row in preferred_of_days(self.tables.afresh(), need, days, PREFERENCES).collect():
            found[row[AS_OF]][row[c.USER_ID], row[c.STREAMER_ID]] = row[c.SCORE]
        return found


@pytest.fixture(scope="module")
def log() -> dict[date, list[dict[str, Any]]]:
    return _log(seed=1)


@pytest.fixture(scope="module")
def chain(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, log: dict[date, Any]) -> Platform:
    """A backfill of five days, then every day by itself, the way a schedule runs them."""
    platform = Platform(spark, tmp_path_factory.mktemp("chain"), log)
    platform.run(*DAYS[:5])
    for day in DAYS[5:]:
        platform.run(day)
    return platform


def test_day_by_day_it_equals_the_recompute_from_the_whole_log(chain: Platform, log: dict[date, Any]) -> None:
    found = chain.preferred(*DAYS)
    for day in DAYS:
        assert found[day] == pytest.approx(_best(_recomputed(log, day)), abs=1e-9)
    assert found[DAYS[-1]] == chain.preferred(DAYS[-1])[DAYS[-1]]


def test_days_together_give_the_rows_of_days_one_by_one(
    spark: SparkSession, tmp_path: Path, chain: Platform, log: dict[date, Any]
) -> None:
    together = Platform(spark, tmp_path, log)
    together.run(*DAYS)
    for table in (PREFERENCE_STATE, PREFERRED_STREAMER):
        for day in DAYS:
            assert together.rows(table, day) == chain.rows(table, day)


@pytest.mark.parametrize("few", [0, 60])
def test_a_state_too_large_to_be_read_whole_gives_the_same_rows(
    chain: Platform, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """With a bound of 0 nothing goes to every worker, with 60 the pairs of 40 new views do."""
    expected = {table: chain.rows(table, DAYS[7]) for table in (PREFERENCE_STATE, PREFERRED_STREAMER)}
    monkeypatch.setattr(preferred_streamers, "_FEW", few)
    chain.run(DAYS[7])
    assert {table: chain.rows(table, DAYS[7]) for table in expected} == expected


def test_only_the_first_partition_of_a_period_holds_everybody(chain: Platform) -> None:
    known: set[tuple[int, int]] = set()
    for day in DAYS:
        pairs = {(row[c.USER_ID], row[c.STREAMER_ID]) for row in chain.rows(PREFERENCE_STATE, day)}
        users = {row[c.USER_ID] for row in chain.rows(PREFERRED_STREAMER, day)}
        known |= pairs
        assert users == {user for user, _ in pairs}
        assert (pairs == known) == (day == DAYS[0] or day.toordinal() % PREFERENCES.full_every_days == 0)


def test_a_gap_mends_itself_and_is_logged(
    spark: SparkSession,
    tmp_path: Path,
    chain: Platform,
    log: dict[date, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    mended = Platform(spark, tmp_path, log)
    mended.run(DAYS[1])  # the first day was never run
    mended.run(DAYS[6])  # and neither were the four before, of which one begins a period
    mended.run(DAYS[8])
    assert f"no state of {DAYS[2]} to {DAYS[6]}" in caplog.text
    for day in (DAYS[6], DAYS[8]):
        assert mended.preferred(day)[day] == pytest.approx(chain.preferred(day)[day], abs=1e-9)


def test_a_manifest_names_the_state_and_the_views_it_comes_from(chain: Platform) -> None:
    found = chain.tables.warehouse.require(PREFERRED_STREAMER, DAYS[5]).inputs
    views = {name for name in found if name.startswith(VIEW_VALUE.name)}
    assert views == {f"{VIEW_VALUE.name}/{day}" for day in DAYS[2:6]}  # late rows change what was known of these
    others = {f"{table.name}/{day}" for table in (PREFERENCE_STATE, PREFERRED_STREAMER) for day in DAYS[3:5]}
    assert set(found) - views == others


def test_a_day_of_a_range_names_the_state_of_the_day_before(chain: Platform) -> None:
    for table in (PREFERENCE_STATE, PREFERRED_STREAMER):
        inputs = chain.tables.warehouse.require(table, DAYS[2]).inputs
        assert {name for name in inputs if name.startswith(PREFERENCE_STATE.name)} == {
            f"{PREFERENCE_STATE.name}/{day}" for day in DAYS[:2]
        }


def test_a_state_of_a_part_of_its_day_is_replaced_by_the_next_days(
    spark: SparkSession, tmp_path: Path, chain: Platform, log: dict[date, Any]
) -> None:
    hourly = Platform(spark, tmp_path, log)
    hourly.run(*DAYS[:5])
    noon = datetime.combine(DAYS[5], time(12), UTC)
    preferred_streamers.run(replace(hourly.tables.afresh(), until=noon), [DAYS[5]], hourly.settings)
    hourly.run(DAYS[6])
    assert hourly.preferred(DAYS[6]) == chain.preferred(DAYS[6])


def test_what_was_not_visited_for_long_is_forgotten_when_the_state_is_carried_over(
    spark: SparkSession, tmp_path: Path, log: dict[date, Any]
) -> None:
    platform = Platform(spark, tmp_path, {DAYS[0]: log[DAYS[0]], DAYS[-1]: []})
    forgetful = PREFERENCES.model_copy(update={"retention_days": 10})
    platform.settings = platform.settings.model_copy(update={"preferences": forgetful})
    platform.run(DAYS[0])
    platform.run(DAYS[-1])
    left = platform.rows(PREFERENCE_STATE, DAYS[-1])
    assert {row[c.LAST_VIEW_DAY] for row in left} == {DAYS[1]}  # dated by a fast clock
