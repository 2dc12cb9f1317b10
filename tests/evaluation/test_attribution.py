"""What an impression led to. How the bandit judges by it: tests/serving/test_posteriors.py."""

from datetime import timedelta

import pyarrow as pa
import pytest

from contracts import columns as c
from contracts import tables as t
from contracts.schema import Table
from evaluation.attribution import IS_PLAYED, attributed, with_closed_window
from tests.jobs.frames import NOON, rows_of

MINUTE = timedelta(minutes=1)
WINDOW = 30 * MINUTE


def rows(table: Table, *values: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(rows_of(table, *values), table.schema)


def shown(**values: object) -> dict[str, object]:
    return {c.USER_ID: 1, c.ITEM_ID: 20, c.SERVED_AT: NOON, **values}


def viewed(start: timedelta, end: timedelta, **values: object) -> dict[str, object]:
    times = {c.FIRST_EVENT_TIME: NOON + start, c.LAST_EVENT_TIME: NOON + end}
    return {c.USER_ID: 1, c.CONTENT_ID: 20, c.IS_VALUED: True, c.IS_CLICK: True, **times, **values}


@pytest.mark.parametrize(
    ("view", "found"),
    [
        pytest.param(viewed(MINUTE, 2 * MINUTE), (True, True, True), id="in the window"),
        pytest.param(viewed(-MINUTE, MINUTE), (True, True, True), id="its last row is"),
        pytest.param(viewed(30 * MINUTE, 90 * MINUTE), (True, True, True), id="its first row is"),
        pytest.param(viewed(31 * MINUTE, 32 * MINUTE), (False, False, False), id="after it"),
        pytest.param(viewed(MINUTE, MINUTE, **{c.USER_ID: 2}), (False, False, False), id="somebody else's"),
        pytest.param(
            viewed(MINUTE, MINUTE, **{c.WATCHED_SECONDS: 0.0, c.IS_VALUED: False, c.IS_CLICK: None}),
            (False, False, False),
            id="met, not played",
        ),
        pytest.param(
            viewed(MINUTE, MINUTE, **{c.IS_VALUED: False, c.IS_CLICK: None}), (True, False, False), id="not valued"
        ),
    ],
)
def test_an_impression_led_to_what_its_user_did_with_it_in_the_window(
    view: dict[str, object], found: tuple[bool, bool, bool]
) -> None:
    judged = attributed(rows(t.IMPRESSION, shown()), [rows(t.VIEW_VALUE, view)], WINDOW)
    assert tuple(judged[[IS_PLAYED, c.IS_VALUED, c.IS_CLICK]].iloc[0]) == found


def test_each_impression_of_a_known_user_is_one_row_in_its_order() -> None:
    impressions = rows(t.IMPRESSION, shown(**{c.ITEM_ID: 21}), shown(**{c.USER_ID: None}), shown(), shown())
    views = [rows(t.VIEW_VALUE, viewed(MINUTE, MINUTE)), rows(t.VIEW_VALUE)]
    judged = attributed(impressions, views, WINDOW)
    assert judged[[c.ITEM_ID, IS_PLAYED]].to_numpy().tolist() == [[21, False], [20, True], [20, True]]


def test_of_a_view_in_two_partitions_the_later_one_holds() -> None:
    views = [rows(t.VIEW_VALUE, viewed(MINUTE, MINUTE, **{c.IS_VALUED: valued})) for valued in (False, True)]
    assert attributed(rows(t.IMPRESSION, shown()), views, WINDOW)[c.IS_VALUED].tolist() == [True]


def test_a_window_has_closed_when_it_ends_by_then() -> None:
    impressions = rows(t.IMPRESSION, shown(), shown(**{c.SERVED_AT: NOON + MINUTE}))
    assert with_closed_window(impressions, NOON + WINDOW, WINDOW).num_rows == 1
