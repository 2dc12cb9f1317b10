"""Plays: what users did, before the log cuts it into rows."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from world.population import Bools, Floats, Ints


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


def join(parts: Sequence[Plays]) -> Plays:
    """Several plays as one, by time."""
    whole = Plays(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Plays)))
    return whole.take(np.lexsort((whole.item, whole.user, whole.started)))
