from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.names import Surface
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST, CONTENT
from devstack.demo.people import Person, choose_people, surfaces_to_show
from tests.jobs.frames import rows_of

DAY = date(2026, 1, 10)


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ("1 new, 2 light, 3 heavy, 4 heavy", [3, 2, 1]),
        ("1 new, 2 new, 3 heavy", [3, 1, 2]),
        ("5 light", [5]),
        ("", []),
    ],
)
def test_one_user_of_each_segment_is_shown_and_others_fill_up(users: str, expected: list[int]) -> None:
    people = [Person(int(user.split()[0]), user.split()[1]) for user in users.split(",") if user]
    assert [person.user_id for person in choose_people(people)] == expected


@pytest.mark.parametrize("rows", [1, 0])
def test_a_surface_is_shown_where_the_log_has_something_for_it(tmp_path: Path, rows: int) -> None:
    settings = Settings(home=tmp_path)
    warehouse, now = Warehouse(settings.warehouse_path), datetime(2026, 2, 1, tzinfo=UTC)
    warehouse.write(CONTENT, DAY, pa.Table.from_pylist(rows_of(CONTENT, {}), CONTENT.schema), [], now)
    broadcasts = pa.Table.from_pylist(rows_of(BROADCAST, *[{}] * rows), BROADCAST.schema)
    warehouse.write(BROADCAST, DAY, broadcasts, [], now)
    assert surfaces_to_show(settings, DAY) == [Surface.HOME_CLIPS, Surface.HOME_LIVE][: 1 + rows]
