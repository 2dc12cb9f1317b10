"""`training_examples`: labels of the day's views."""

from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import TRAINING_EXAMPLE, USER_ACTION, VIEW_VALUE
from jobs.tables import Tables
from jobs.transformations.training_examples import training_examples


def run(tables: Tables, day: date, settings: Settings) -> Snapshot:  # noqa: ARG001  every command is called alike
    """Write the training examples of `day`."""
    values = tables.read(VIEW_VALUE, [day])
    actions = tables.read_existing(USER_ACTION, [day])
    return tables.write(TRAINING_EXAMPLE, day, training_examples(values, actions, day))
