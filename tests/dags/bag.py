"""The DagBag of the repository, parsed as Airflow parses it."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAGS_FOLDER = Path(__file__).resolve().parents[2] / "dags"


def parse_dags(airflow_home: Path) -> "DagBag":
    """Airflow reads its environment and takes over logging when it is imported: here, not when tests are collected."""
    handlers, level = list(logging.root.handlers), logging.root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(airflow_home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  see above

        bag = DagBag(DAGS_FOLDER)
    logging.root.handlers[:], logging.root.level = handlers, level
    return bag
