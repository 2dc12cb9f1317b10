"""A real scheduler runs the four DAGs for one day, tied by nothing but assets."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import names
from tests.dags.airflow_process import AirflowProcess

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = "2022-04-30"
DAGS = [names.DAG_INGEST, names.DAG_DAILY_FEATURES, names.DAG_TRAIN_TWO_TOWER, names.DAG_PUBLISH_CANDIDATES]
ENDED = ("success", "failed")

RECORDER = """
import os, sys

with open(os.environ["RECORD"], "a") as record:
    print(__spec__.parent, *sys.argv[1:], file=record)
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The repository's DAGs beside packages that record the commands they are given instead of running them."""
    house = tmp_path / "house"
    for package in ("dags", "contracts"):
        shutil.copytree(REPOSITORY / package, house / package)
    for package in ("jobs", "models", "feature_repo", "serving"):
        (house / package).mkdir()
        (house / package / "__init__.py").touch()
        (house / package / "__main__.py").write_text(RECORDER)
    return house


@pytest.fixture
def airflow(tmp_path: Path, house: Path) -> Iterator[AirflowProcess]:
    with AirflowProcess(tmp_path / "airflow", house, RECORD=str(tmp_path / "record")) as airflow:
        yield airflow


@pytest.mark.slow
def test_a_run_of_ingest_starts_the_others_for_the_same_day(airflow: AirflowProcess, tmp_path: Path) -> None:
    airflow.trigger(names.DAG_INGEST, DAY)

    airflow.wait_for(_has_ended, "the chain to end", 150)

    runs = airflow.runs()
    assert [(run["dag_id"], run["partition_key"], run["state"]) for run in runs] == [
        (dag, DAY, "success") for dag in DAGS
    ], airflow.failed_task_logs()
    assert [run["run_type"] for run in runs] == ["manual", "asset_triggered", "asset_triggered", "asset_triggered"]
    assert {run["logical_date"] for run in runs} == {None}
    _assert_every_job_ran_once_for_the_day((tmp_path / "record").read_text().splitlines())


def _has_ended(runs: list[dict[str, str]]) -> bool:
    return any(run["state"] == "failed" for run in runs) or (
        [run["dag_id"] for run in runs] == DAGS and all(run["state"] in ENDED for run in runs)
    )


def _assert_every_job_ran_once_for_the_day(commands: list[str]) -> None:
    position = {command: commands.index(command) for command in commands}
    assert len(position) == len(commands) == 20
    assert "jobs next_day_metrics --date 2022-04-29 --if-published" in position
    of_the_day = [c for c in commands if "--date" in c and "next_day_metrics" not in c]
    assert all(command.endswith(f"--date {DAY}") for command in of_the_day)
    in_order = ["jobs import_log", "jobs view_valuation", "jobs content_values", "jobs representative_vods"]
    in_order += ["feature_repo materialize", "models train", "models retrieve", "jobs candidate_lists"]
    in_order += ["serving publish", "serving sync_seen"]
    ran = [position[f"{command} --date {DAY}"] for command in in_order]
    assert ran == sorted(ran)
