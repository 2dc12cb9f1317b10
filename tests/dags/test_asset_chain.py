"""A real scheduler runs the four DAGs for one day, tied by nothing but assets."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import names
from tests.dags.airflow_process import AirflowProcess

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = [names.DAG_INGEST, names.DAG_DAILY_FEATURES, names.DAG_TRAIN_TWO_TOWER, names.DAG_PUBLISH_CANDIDATES]
CHAIN_SECONDS = 150  # 9 s on two idle cores, 60 s beside seven other test runs

RECORDER = """
import os, sys

with open(os.environ["RECORD"], "a") as record:
    print(__spec__.parent, *sys.argv[1:], file=record)
"""


class Recorded:
    """An Airflow over the repository's DAGs, whose packages write down their commands instead of running them."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "record"
        self._record.touch()
        self.airflow = AirflowProcess(folder / "airflow", _house(folder / "house"), RECORD=str(self._record))

    def run(self, dag: str, day: str, dags: list[str]) -> list[dict[str, Any]]:
        """The day's runs after `dags` have ended."""
        self.airflow.trigger(dag, day)
        self.airflow.wait_for(lambda runs: _have_ended(_of(runs, day), dags), f"{dags} for {day}", CHAIN_SECONDS)
        return _of(self.airflow.runs(), day)

    def commands(self) -> list[str]:
        return self._record.read_text().splitlines()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    recorded = Recorded(tmp_path_factory.mktemp("chain"))
    with recorded.airflow:
        yield recorded


def test_a_run_of_ingest_starts_the_others_for_the_same_day(recorded: Recorded) -> None:
    runs = recorded.run(names.DAG_INGEST, "2022-04-30", DAGS)

    assert [(run["dag_id"], run["state"]) for run in runs] == [(dag, "success") for dag in DAGS], (
        recorded.airflow.failed_task_logs()
    )
    assert [run["run_type"] for run in runs] == ["manual", "asset_triggered", "asset_triggered", "asset_triggered"]
    _assert_every_job_ran_once_for(
        "2022-04-30", "2022-04-29", [command for command in recorded.commands() if "2022-05" not in command]
    )


def test_an_old_day_is_published_again_without_the_dags_before(recorded: Recorded) -> None:
    runs = recorded.run(names.DAG_PUBLISH_CANDIDATES, "2022-05-07", [names.DAG_PUBLISH_CANDIDATES])

    assert [(run["dag_id"], run["state"]) for run in runs] == [(names.DAG_PUBLISH_CANDIDATES, "success")]
    of_the_day = [command for command in recorded.commands() if "2022-05-07" in command]
    assert "serving publish --date 2022-05-07" in of_the_day
    assert len(of_the_day) == 9


def _house(house: Path) -> Path:
    for package in ("dags", "contracts"):
        shutil.copytree(REPOSITORY / package, house / package)
    for package in ("jobs", "models", "feature_repo", "serving"):
        (house / package).mkdir()
        (house / package / "__init__.py").touch()
        (house / package / "__main__.py").write_text(RECORDER)
    return house


def _of(runs: list[dict[str, Any]], day: str) -> list[dict[str, Any]]:
    return [run for run in runs if run["partition_key"] == day]


def _have_ended(runs: list[dict[str, Any]], dags: list[str]) -> bool:
    states = [run["state"] for run in runs]
    return "failed" in states or ([run["dag_id"] for run in runs] == dags and set(states) == {"success"})


def _assert_every_job_ran_once_for(day: str, day_before: str, commands: list[str]) -> None:
    position = {command: commands.index(command) for command in commands}
    check = f"jobs check --date {day}"
    assert [command for command in commands if commands.count(command) > 1] == [check] * 4  # in every DAG
    assert len(position) == 31
    judged = f"jobs next_day_metrics --date {day_before} --if-published"
    assert judged in position
    undated = {"feature_repo apply", "jobs forget", "models forget"}
    assert all(command.endswith(f"--date {day}") for command in set(position) - {judged, *undated})
    assert position["jobs forget"] < position[f"jobs view_valuation --date {day}"]
    assert position["models forget"] < position[f"models train --date {day}"]
    through_the_model = ["feature_repo materialize", "models train", "models retrieve"]
    beside_it = ["feature_repo materialize", "jobs representative_vods", "jobs next_contents"]
    for between in (through_the_model, beside_it):
        in_order = ["jobs import_log", "jobs view_valuation", "jobs content_values", *between]
        in_order += ["jobs candidate_lists", "serving publish", "serving sync_seen"]
        ran = [position[f"{command} --date {day}"] for command in in_order]
        assert ran == sorted(ran)
