"""What every DAG and every task of ours must be. A failure names the DAG or task and what to change."""

import ast
import importlib
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts import names
from tests.dags.bag import DAGS_FOLDER

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

CHAIN = {
    names.DAG_INGEST: (None, names.ASSET_WATCH_LOG),
    names.DAG_DAILY_FEATURES: (names.ASSET_WATCH_LOG, names.ASSET_FEATURES),
    names.DAG_TRAIN_TWO_TOWER: (names.ASSET_FEATURES, names.ASSET_CANDIDATES),
    names.DAG_PUBLISH_CANDIDATES: (names.ASSET_CANDIDATES, names.ASSET_PUBLISHED),
}
COMMAND = re.compile(
    rf"{re.escape(sys.executable)} -m (?P<package>jobs|models|feature_repo|serving) (?P<command>[a-z_]+)"
    r"( --date (?P<day>\{\{ [^}]+ \}\}))?(?P<options>( --[a-z-]+)*)"
)
UNDATED = {"apply", "forget"}
CLOCKS = re.compile(
    r"\b(ds|ds_nodash|ts|ts_nodash|logical_date|data_interval_\w+|run_after|start_date|now|utcnow|today)\b"
)

DAG_RULES: list[tuple[str, Callable[[Any], bool]]] = [
    ("name the file after the DAG", lambda dag: Path(dag.fileloc).stem == dag.dag_id),
    ("open the file with a docstring and pass doc_md=__doc__", lambda dag: dag.doc_md == _docstring(dag.fileloc)),
    ("head the docstring with `# dag_id: what it is`", lambda dag: dag.doc_md.startswith(f"# {dag.dag_id}: ")),
    ("tag it `streamrec`", lambda dag: "streamrec" in dag.tags),
    ("set catchup=False: history is loaded by the backfill command", lambda dag: dag.catchup is False),
    ("set max_active_runs=1: days are run one after another", lambda dag: dag.max_active_runs == 1),
    ("let one task emit the DAG's asset", lambda dag: len(_outlets(dag)) == 1),
]

TASK_RULES: list[tuple[str, Callable[[Any], bool]]] = [
    ("pass default_args=TASK_DEFAULTS: the owner", lambda task: task.owner == "streamrec"),
    ("retry at least once", lambda task: task.retries >= 1),
    ("retry with exponential backoff", lambda task: bool(task.retry_exponential_backoff)),
    ("bound the backoff with max_retry_delay", lambda task: task.max_retry_delay is not None),
    ("set execution_timeout", lambda task: task.execution_timeout is not None),
    ("make it by command_task: one `python -m PACKAGE COMMAND`", lambda task: _part(task, "command") != ""),
    ("name it after its command", lambda task: _part(task, "command") == task.task_id),
    ("run it from the repository's root", lambda task: Path(task.cwd) == DAGS_FOLDER.parent),
    ("give it --date, or name it in UNDATED", lambda task: bool(_part(task, "day")) != (task.task_id in UNDATED)),
    ("take the day from partition_key", lambda task: task.task_id in UNDATED or "partition_key" in _part(task, "day")),
    ("take no day from the clock", lambda task: CLOCKS.search(task.bash_command) is None),
    ("let its output be its log, not an XCom", lambda task: task.do_xcom_push is False),
]


def test_the_four_dags_import(dag_bag: "DagBag") -> None:
    assert dag_bag.import_errors == {}, "mend what these files import"
    assert set(dag_bag.dags) == set(CHAIN), "one file per DAG of contracts.names; helpers go into .airflowignore"


@pytest.mark.parametrize(("fix", "holds"), DAG_RULES, ids=[fix for fix, _ in DAG_RULES])
def test_every_dag_keeps_the_rule(dag_bag: "DagBag", fix: str, holds: Callable[[Any], bool]) -> None:
    broken = [dag.dag_id for dag in dag_bag.dags.values() if not holds(dag)]
    assert broken == [], f"in these DAGs: {fix}"


@pytest.mark.parametrize(("fix", "holds"), TASK_RULES, ids=[fix for fix, _ in TASK_RULES])
def test_every_task_keeps_the_rule(dag_bag: "DagBag", fix: str, holds: Callable[[Any], bool]) -> None:
    broken = [f"{dag.dag_id}.{task.task_id}" for dag in dag_bag.dags.values() for task in dag.tasks if not holds(task)]
    assert broken == [], f"in these tasks: {fix}"


@pytest.mark.parametrize(("dag_id", "consumed", "produced"), [(dag, *ends) for dag, ends in CHAIN.items()])
def test_a_dag_starts_on_its_asset_and_emits_the_next(
    dag_bag: "DagBag", dag_id: str, consumed: str | None, produced: str
) -> None:
    dag = dag_bag.dags[dag_id]
    assert [asset.name for asset in _outlets(dag)] == [produced], "set outlets= on the task after which the day stands"
    started_by = getattr(dag.timetable, "asset_condition", None)
    assert getattr(started_by, "name", None) == consumed, "set schedule=PartitionedAssetTimetable(assets=...)"


def test_every_asset_of_the_contracts_is_in_the_chain() -> None:
    assets = {value for name, value in vars(names).items() if name.startswith("ASSET_")}
    assert assets == {produced for _, produced in CHAIN.values()}, (
        "produce it in a DAG, or drop it from contracts.names"
    )


def test_a_run_started_by_an_asset_has_the_day_of_that_asset(dag_bag: "DagBag") -> None:
    for dag_id in set(CHAIN) - {names.DAG_INGEST}:
        timetable = dag_bag.dags[dag_id].timetable
        assert type(timetable).__name__ == "PartitionedAssetTimetable", f"{dag_id}: other timetables drop the day"
        assert type(timetable.default_partition_mapper).__name__ == "IdentityMapper", f"{dag_id}: map the day to itself"


def test_the_nightly_run_is_for_the_day_that_ended(dag_bag: "DagBag") -> None:
    timetable = dag_bag.dags[names.DAG_INGEST].timetable
    assert (timetable.run_offset, timetable.key_format) == (-1, "%Y-%m-%d"), (
        "partition keys are days, `dt` as in tables"
    )


def test_a_new_airflow_waits_for_its_first_night(dag_bag: "DagBag", monkeypatch: pytest.MonkeyPatch) -> None:
    """A run for a night that was just before would hold up the day that somebody asks for."""
    now = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
    encoders = importlib.import_module("airflow.serialization.encoders")  # after dag_bag has set Airflow's home
    timetable = encoders.coerce_to_core_timetable(dag_bag.dags[names.DAG_INGEST].timetable)
    restriction = importlib.import_module("airflow.timetables.base").TimeRestriction
    never_ran = restriction(earliest=None, latest=None, catchup=False)

    first = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=never_ran)

    assert first is not None
    assert first.run_after > now


def test_features_are_announced_only_when_the_whole_day_stands(dag_bag: "DagBag") -> None:
    dag = dag_bag.dags[names.DAG_DAILY_FEATURES]
    [emitting] = [task for task in dag.tasks if task.outlets]
    not_awaited = set(dag.task_ids) - emitting.get_flat_relative_ids(upstream=True) - {emitting.task_id}
    assert not_awaited == {"next_day_metrics"}, f"put these before {emitting.task_id}: later DAGs read their tables"


@pytest.mark.parametrize("path", sorted(DAGS_FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_a_dag_file_imports_airflow_and_contracts_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {module.partition(".")[0] for module in modules}
    allowed = {"airflow", "contracts", "dags", "datetime", "pathlib", "sys", "typing"}
    assert roots <= allowed, f"{path.name}: a DAG names entry points; move the work behind a command"
    assert "load_settings" not in path.read_text(), f"{path.name}: settings are read by the command, not by the DAG"


def _docstring(path: str) -> str | None:
    return ast.get_docstring(ast.parse(Path(path).read_text()), clean=False)


def _outlets(dag: Any) -> list[Any]:  # noqa: ANN401  Airflow's classes are not typed for mypy here
    return [asset for task in dag.tasks for asset in task.outlets]


def _part(task: Any, group: str) -> str:  # noqa: ANN401
    """One part of the task's command; empty where it is missing or the command is none of ours."""
    found = COMMAND.fullmatch(getattr(task, "bash_command", ""))
    return (found[group] or "") if found else ""
