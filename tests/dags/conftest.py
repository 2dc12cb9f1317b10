"""One DagBag per test session."""

from typing import TYPE_CHECKING

import pytest

from tests.dags.bag import parse_dags

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.fixture(scope="session")
def dag_bag(tmp_path_factory: pytest.TempPathFactory) -> "DagBag":
    return parse_dags(tmp_path_factory.mktemp("airflow"))
