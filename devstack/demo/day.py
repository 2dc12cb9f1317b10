"""One day through real Airflow: `ingest` is triggered for the day, assets start the other DAGs for the same day."""

import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from contracts import names
from contracts.errors import StepFailedError
from devstack.airflow import AirflowApi
from devstack.steps import Runner

DAGS: Final = (names.DAG_INGEST, names.DAG_DAILY_FEATURES, names.DAG_TRAIN_TWO_TOWER, names.DAG_PUBLISH_CANDIDATES)
_POLL_SECONDS: Final = 1.5  # the API server takes a tenth of a second of CPU to answer, which the tasks lack
_PARSE_SECONDS: Final = 60.0
# A demo does not wait for retries: what fails on one machine fails again.
_FAILED: Final = frozenset({"failed", "upstream_failed", "up_for_retry"})


@dataclass
class AirflowDay:
    """A day's run as it is seen over Airflow's REST API."""

    runner: Runner
    api: AirflowApi
    airflow_home: Path
    day: date
    shown: set[tuple[str, str]] = field(default_factory=set)

    def run(self, timeout_seconds: float) -> None:
        """Trigger the day and wait until its lists are published.

        Raises:
            StepFailedError: a task failed, or the chain did not end in time.
        """
        deadline = time.monotonic() + timeout_seconds
        self._wait_for_dags()
        self.api.trigger(names.DAG_INGEST, self.day.isoformat())
        with self.runner.console.status(f"Airflow, {self.day}") as status:
            while not self._ended(runs := self._of_day(self.api.runs())):
                tasks = self._tasks(runs)
                running = [f"{task['dag_id']}.{task['task_id']}" for task in tasks if task["state"] == "running"]
                status.update(f"Airflow, {self.day}: {', '.join(running) or 'scheduling'}")
                self._show(tasks)
                if time.monotonic() > deadline:
                    raise StepFailedError(f"Airflow did not end {self.day} in {timeout_seconds:.0f} s: {running}")
                time.sleep(_POLL_SECONDS)
        self._show(self._tasks(runs))

    def _wait_for_dags(self) -> None:
        deadline = time.monotonic() + _PARSE_SECONDS
        with self.runner.console.status("Airflow reads the DAGs"):
            while not self.api.knows(set(DAGS)):
                if time.monotonic() > deadline:
                    message = f"Airflow found not all of {', '.join(DAGS)}; see {self.airflow_home.parent / 'logs'}"
                    raise StepFailedError(message)
                time.sleep(_POLL_SECONDS)

    @staticmethod
    def _ended(runs: list[dict[str, Any]]) -> bool:
        ended = {run["dag_id"] for run in runs if run["state"] == "success"}
        return ended >= set(DAGS)

    def _tasks(self, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Tasks of the day's runs."""
        known = {(run["dag_id"], run["dag_run_id"]) for run in runs}
        return [task for task in self.api.tasks() if (task["dag_id"], task["dag_run_id"]) in known]

    def _of_day(self, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [run for run in runs if run["partition_key"] == self.day.isoformat()]

    def _show(self, tasks: list[dict[str, Any]]) -> None:
        ended = [task for task in tasks if task["state"] == "success"]
        for task in sorted(ended, key=lambda task: str(task["end_date"])):
            name = (task["dag_id"], task["task_id"])
            if name not in self.shown:
                self.shown.add(name)
                self.runner.done(".".join(name), task["duration"] or 0.0)
        for task in tasks:
            if task["state"] in _FAILED:
                raise self._failure(task)

    def _failure(self, task: dict[str, Any]) -> StepFailedError:
        pattern = f"logs/dag_id={task['dag_id']}/**/task_id={task['task_id']}/*.log"
        logs = sorted(self.airflow_home.glob(pattern))
        if logs:
            self.runner.show_tail(logs[-1])
        where = logs[-1] if logs else self.airflow_home / "logs"
        return StepFailedError(f"task {task['dag_id']}.{task['task_id']} is {task['state']}; see {where}")
