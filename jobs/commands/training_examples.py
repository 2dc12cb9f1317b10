"""`training_examples`: labels of each day's views."""

from collections.abc import Sequence
from datetime import date

from contracts.settings import Settings
from contracts.snapshots import Snapshot
from contracts.tables import TRAINING_EXAMPLE, USER_ACTION, VIEW_VALUE
from jobs.commands.readings import of_days, write_rows
from jobs.needs import OfDay
from jobs.tables import Tables
from jobs.transformations.training_examples import training_examples


def needs(settings: Settings) -> tuple[OfDay, OfDay]:  # noqa: ARG001  every job is asked alike
    """What a day reads."""
    return OfDay(VIEW_VALUE, required=True), OfDay(USER_ACTION)


def run(tables: Tables, days: Sequence[date], settings: Settings) -> list[Snapshot]:
    """Write the training examples of each day."""
    views, actions = needs(settings)
    examples = training_examples(of_days(tables, views, days), of_days(tables, actions, days))
    return write_rows(tables, TRAINING_EXAMPLE, days, examples)
