"""What the DAGs name exists in the other rooms, and a task waits for the tasks whose tables it reads."""

import importlib
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from contracts import names
from contracts import tables as t
from contracts.settings import Settings
from jobs.commands.registry import JOBS, Job
from tests.dags.bag import parse_dags

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAY = "2022-04-30"
ORDER = (names.DAG_INGEST, names.DAG_DAILY_FEATURES, names.DAG_TRAIN_TWO_TOWER, names.DAG_PUBLISH_CANDIDATES)
WRITERS = {table.name: job.name for job in JOBS for table in job.tables} | {
    table.name: "import_log" for table in (t.WATCH_EVENT, t.USER_ACTION, t.CONTENT, t.STREAMER, t.EARLIER_VIEW)
}
WRITERS |= {t.RETRIEVED_CANDIDATE.name: "retrieve", t.IMPRESSION.name: "drain_impressions"}


@pytest.fixture(scope="module")
def dag_bag(tmp_path_factory: pytest.TempPathFactory) -> "DagBag":
    return parse_dags(tmp_path_factory.mktemp("airflow"))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_runs_after_the_jobs_that_write_what_it_reads(dag_bag: "DagBag", job: Job) -> None:
    done_before = _done_before(dag_bag, job.name)

    needed = {WRITERS[table] for table in job.reads(Settings())} - {job.name}  # of the days before

    assert needed <= done_before, f"in dags/, put {sorted(needed - done_before)} before {job.name}"


@pytest.mark.parametrize("package", ["jobs", "feature_repo", "models", "serving"])
def test_a_package_takes_every_command_that_the_dags_give_it(dag_bag: "DagBag", package: str) -> None:
    group: Any = typer.main.get_command(importlib.import_module(f"{package}.__main__").app)

    for name, *arguments in _commands(dag_bag, package):
        assert name in group.commands, f"python -m {package} has no command {name}"
        group.commands[name].make_context(name, arguments)  # parses, runs nothing


def _commands(dag_bag: "DagBag", package: str) -> list[list[str]]:
    """COMMAND and arguments of every task that runs this package, for some day."""
    macros = importlib.import_module("airflow.sdk.execution_time.macros")  # after parse_dags has set Airflow's home
    rendered = [
        task.render_template(task.bash_command, {"partition_key": DAY, "macros": macros})
        for dag in dag_bag.dags.values()
        for task in dag.tasks
    ]
    words = [shlex.split(command) for command in rendered]
    return [arguments for _python, _m, module, *arguments in words if module == package]


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
