"""A task waits for the tasks whose tables it reads."""

from typing import TYPE_CHECKING

import pytest

from contracts import names
from contracts import tables as t
from jobs.commands.registry import JOBS, Job
from tests.dags.bag import parse_dags

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

ORDER = (names.DAG_INGEST, names.DAG_DAILY_FEATURES, names.DAG_TRAIN_TWO_TOWER, names.DAG_PUBLISH_CANDIDATES)
WRITERS = {job.writes.name: job.name for job in JOBS} | {
    table.name: "import_log" for table in (t.WATCH_EVENT, t.USER_ACTION, t.CONTENT, t.EARLIER_VIEW)
}
WRITERS[t.RETRIEVED_CANDIDATE.name] = "retrieve"


@pytest.fixture(scope="module")
def dag_bag(tmp_path_factory: pytest.TempPathFactory) -> "DagBag":
    return parse_dags(tmp_path_factory.mktemp("airflow"))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_runs_after_the_jobs_that_write_what_it_reads(dag_bag: "DagBag", job: Job) -> None:
    done_before = _done_before(dag_bag, job.name)

    needed = {WRITERS[table.name] for table in job.reads}

    assert needed <= done_before, f"in dags/, put {sorted(needed - done_before)} before {job.name}"


def _done_before(dag_bag: "DagBag", task_id: str) -> set[str]:
    """Tasks upstream in the same DAG, and all that the emitting tasks of the DAGs before waited for."""
    done: set[str] = set()
    for dag_id in ORDER:
        dag = dag_bag.dags[dag_id]
        if task_id in dag.task_ids:
            return done | dag.get_task(task_id).get_flat_relative_ids(upstream=True)
        for task in dag.tasks:
            if task.outlets:
                done |= task.get_flat_relative_ids(upstream=True) | {task.task_id}
    raise LookupError(f"no DAG runs {task_id}")
