"""`training_examples`: labels of each day's views."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import TRAINING_EXAMPLE, USER_ACTION, VIEW_VALUE
from jobs.commands.readings import of_days, write_rows
from jobs.tables import Tables
from jobs.transformations.as_of import of_own_day
from jobs.transformations.training_examples import training_examples


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:  # noqa: ARG001  every command is called alike
    """Write the training examples of each day."""
    actions = of_own_day(tables.read_for(USER_ACTION, {day: [day] for day in days}))
    examples = training_examples(of_days(tables, VIEW_VALUE, days), actions)
    return write_rows(tables, TRAINING_EXAMPLE, days, examples)
