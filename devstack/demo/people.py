"""Whose slates a demo shows, and of which surfaces: one user of each kind, what the log has something for."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts import columns as c
from contracts.names import Segment, Surface
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST, CONTENT, USER_FEATURE

PEOPLE: Final = 3


@dataclass(frozen=True, order=True)
class Person:
    """A user and how much they watch."""

    user_id: int
    segment: str


def people_to_show(settings: Settings, day: date) -> list[Person]:
    """The first user of each segment, filled up from the largest ones to `PEOPLE`; the same for the same log."""
    rows = Warehouse(settings.warehouse_path).read(USER_FEATURE, day, [c.USER_ID, c.SEGMENT])
    columns = (rows.column(name).to_pylist() for name in (c.USER_ID, c.SEGMENT))
    return choose_people(sorted(Person(*row) for row in zip(*columns, strict=True)))


def surfaces_to_show(settings: Settings, day: date) -> list[Surface]:
    """A log without broadcasts has nothing for a live surface, one of broadcasts alone nothing else."""
    warehouse = Warehouse(settings.warehouse_path)
    tables = {Surface.HOME_CLIPS: CONTENT, Surface.HOME_LIVE: BROADCAST}
    found = {surface: warehouse.latest(table, day) for surface, table in tables.items()}
    return [surface for surface, snapshot in found.items() if snapshot is not None and snapshot.rows > 0]


def choose_people(users: list[Person]) -> list[Person]:
    """See `people_to_show`; `users` are sorted."""
    chosen: list[Person] = []
    for segment in (Segment.HEAVY, Segment.LIGHT, Segment.NEW):
        chosen += [user for user in users if user.segment == segment][:1]
    others = [user for user in users if user not in chosen]
    return (chosen + others)[:PEOPLE]
