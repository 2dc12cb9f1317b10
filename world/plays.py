"""Plays: what users did, before the log cuts it into rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from world.population import Bools, Floats, Ints, Users


@dataclass(frozen=True)
class Plays:
    """Columns of n plays; user, streamer and item are rows of the population, the schedule or the catalogue.

    An examined place that was not played has 0 seconds and `is_click` false.
    """

    user: Ints
    kind: Ints
    item: Ints
    streamer: Ints
    started: Floats
    seconds: Floats
    satisfied: Floats
    is_click: Bools

    def take(self, rows: Ints | Bools) -> "Plays":
        return Plays(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Raid:
    """What an attack adds to the platform; its accounts' rows follow those of the honest users.

    Args:
        accounts: The accounts as the platform sees them; beside that the doubles of honest users.
        target: Row of the catalogue that is to rise.
        plays: By day.
    """

    accounts: Users
    target: int
    plays: Mapping[date, Plays]


def join(parts: Sequence[Plays]) -> Plays:
    """Several plays as one, by time."""
    whole = Plays(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Plays)))
    return whole.take(np.lexsort((whole.item, whole.user, whole.started)))
