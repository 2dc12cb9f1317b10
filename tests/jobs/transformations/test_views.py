from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from contracts import columns as c
from contracts.tables import VIEW_VALUE, WATCH_EVENT
from jobs.transformations.as_of import HELD_FROM, HELD_TO, on_each_day
from jobs.transformations.views import LAST_END, latest_views, settled_views, views
from tests.jobs.frames import DAY, NOON, collect, day, frame


def _watch(user: int, content: int, start: datetime, seconds: float, **other: object) -> dict[str, object]:
    return {
        c.USER_ID: user,
        c.CONTENT_ID: content,
        c.EVENT_TIME: start,
        c.WATCHED_SECONDS: seconds,
        **other,
    }


def test_rows_of_one_visit_become_one_view_of_the_platforms_day(spark: SparkSession) -> None:
    evening = datetime(2026, 1, 10, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    events = frame(
        spark,
        WATCH_EVENT,
        _watch(1, 7, evening, 30.0, **{c.IS_CLICK: True}),
        _watch(1, 7, evening - timedelta(hours=1), 12.5, **{c.IS_CLICK: False, c.DT: "2026-01-09"}),
        _watch(1, 7, evening + timedelta(minutes=2), 5.0),
        _watch(2, 7, evening, 0.0),
    )
    shown = (c.USER_ID, c.VIEW_DAY, c.DT, HELD_TO, c.WATCHED_SECONDS, c.IS_CLICK, c.LOGGED_VALUED)
    eve, next_day = date(2026, 1, 9), date(2026, 1, 11)
    assert collect(views(events, "Asia/Shanghai", 2), *shown) == [
        (1, DAY, eve, eve, 12.5, False, None),  # until the next partition brings more
        (1, DAY, DAY, next_day, 42.5, True, None),
        (1, next_day, DAY, date(2026, 1, 12), 5.0, None, None),
        (2, DAY, DAY, next_day, 0.0, None, None),
    ]


def test_how_the_log_cuts_a_visit_into_rows_does_not_matter(spark: SparkSession) -> None:
    whole = frame(spark, WATCH_EVENT, _watch(1, 7, NOON, 0.3), _watch(2, 8, NOON, 90.0))
    cut = frame(
        spark,
        WATCH_EVENT,
        _watch(1, 7, NOON, 0.1),
        _watch(1, 7, NOON + timedelta(seconds=0.1), 0.2),
        _watch(2, 8, NOON + timedelta(seconds=60), 30.0),
        _watch(2, 8, NOON, 60.0),
    )
    assert _comparable(views(whole, "UTC", 30)) == _comparable(views(cut, "UTC", 30))


def test_settled_views_are_those_that_change_no_more_whatever_else_is_known(spark: SparkSession) -> None:
    """Two days before DAY a view got a late row the day after; DAY's own log is the first that matters."""
    old, eve = NOON - timedelta(days=2), NOON - timedelta(days=1)
    events = frame(
        spark,
        WATCH_EVENT,
        _watch(1, 7, old, 30.0, **{c.DT: day(2).isoformat()}),
        _watch(1, 7, old, 0.1, **{c.DT: day(1).isoformat()}),
        _watch(2, 8, eve, 90.0, **{c.DT: day(1).isoformat()}),
        _watch(2, 8, eve, 5.0),
        _watch(1, 7, NOON, 60.0),
    )
    names = (c.USER_ID, c.CONTENT_ID, c.WATCHED_SECONDS, HELD_FROM, HELD_TO)
    changing = views(events, "UTC", 30, since=day(1)).select(*names)
    settled = settled_views(events, "UTC", 30, before=day(1)).select(*names)

    def held(found: DataFrame) -> list[tuple[object, ...]]:
        return collect(on_each_day(found, [DAY]), *names[:3])

    assert held(changing) == [(1, 7, 60.0), (2, 8, 95.0)]
    assert held(settled) == [(1, 7, 30.1)]
    assert held(changing.unionByName(settled)) == held(views(events, "UTC", 30).select(*names))


def _comparable(found: DataFrame) -> list[tuple[object, ...]]:
    names = [name for name in found.columns if name != c.LAST_EVENT_TIME]
    assert LAST_END in names
    return collect(found, *names)


def test_a_late_row_makes_the_view_of_the_latest_partition_hold(spark: SparkSession) -> None:
    same = {c.USER_ID: 1, c.CONTENT_ID: 7, c.VIEW_DAY: day(1)}
    stored = frame(
        spark,
        VIEW_VALUE,
        {**same, c.WATCHED_SECONDS: 10.0, c.DT: day(1).isoformat()},
        {**same, c.WATCHED_SECONDS: 25.0, c.DT: DAY.isoformat()},
        {**same, c.VIEW_DAY: DAY, c.WATCHED_SECONDS: 3.0},
    )
    assert collect(latest_views(stored, [DAY], 30), c.VIEW_DAY, c.WATCHED_SECONDS) == [(day(1), 25.0), (DAY, 3.0)]


def test_a_window_of_two_days_holds_today_and_yesterday(spark: SparkSession) -> None:
    stored = frame(spark, VIEW_VALUE, *({c.VIEW_DAY: day(back)} for back in (-1, 0, 1, 2)))
    assert collect(latest_views(stored, [DAY], 2), c.VIEW_DAY) == [(day(1),), (DAY,)]
