"""A whole Airflow (API server, scheduler, DAG processor) as processes of one test, in one folder, on free ports."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_AIRFLOW = str(Path(sys.executable).with_name("airflow"))
_COMPONENTS = ("api-server", "scheduler", "dag-processor")
_POLL_SECONDS = 0.2


def airflow_environment(home: Path, house: Path, port: int = 0) -> dict[str, str]:
    """What an Airflow needs that lives in `home` and reads the DAGs of the repository copy `house`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "STREAMREC_"))},
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(house),
        "AIRFLOW__CORE__DAGS_FOLDER": str(house / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "only-for-this-test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-this-test-and-long-enough-for-hmac-with-sha-512-or-so-it-says",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # A supervisor that misses its task's end waits this long for nothing; the default of 5 s doubles the run.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(met: Callable[[], bool], what: str, seconds: float) -> None:
    """Poll until `met`, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(_POLL_SECONDS)


class AirflowProcess:
    """Starts on entry, is gone with every child on exit."""

    def __init__(self, home: Path, house: Path, **environment: str) -> None:
        self._home, self._house = home, house
        self._port = free_port()
        self._environment = airflow_environment(home, house, self._port) | environment
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True)
        subprocess.run([_AIRFLOW, "db", "migrate"], env=self._environment, check=True, capture_output=True, timeout=120)
        try:
            for component in _COMPONENTS:
                self._start(component)
            wait_until(self._is_up, f"Airflow's API; logs are in {self._home}", 120)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def trigger(self, dag: str, day: str) -> None:
        """Start a run of the DAG for one day, as an operator does: by the REST API, with the day as partition key."""
        wait_until(lambda: self._knows(dag), f"the DAG processor to find {dag}", 60)
        self._call(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "partition_key": day})

    def runs(self) -> list[dict[str, Any]]:
        """Every run of every DAG, oldest first."""
        answer = self._call("/api/v2/dags/~/dagRuns?order_by=id&limit=100")
        return list(answer["dag_runs"])

    def wait_for(self, met: Callable[[list[dict[str, Any]]], bool], what: str, seconds: float) -> None:
        """Wait until the runs are as wanted; a failure tells what they were and what their tasks said."""
        try:
            wait_until(lambda: met(self.runs()), what, seconds)
        except TimeoutError as error:
            states = [(run["dag_id"], run["partition_key"], run["state"]) for run in self.runs()]
            raise TimeoutError(f"{error}; runs: {states}\n{self.failed_task_logs()}") from error

    def failed_task_logs(self) -> str:
        """The last lines of every task log that ended in an error: what a failing test must show."""
        logs = sorted(self._home.glob("logs/**/attempt=*.log"))
        return "\n".join(f"{log}\n{log.read_text()[-2_000:]}" for log in logs if '"level":"error"' in log.read_text())

    def _start(self, component: str) -> None:
        options = ["--skip-serve-logs"] if component == "scheduler" else []
        with (self._home / f"{component}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    [_AIRFLOW, component, *options],
                    env=self._environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _stop(self) -> None:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes:
                _signal_group(process, sent)
            for process in self._processes:
                _wait_for_end(process, seconds=10)

    def _is_up(self) -> bool:
        dead = [process.args for process in self._processes if process.poll() is not None]
        if dead:
            raise RuntimeError(f"{dead} ended on start; logs are in {self._home}")
        try:
            self._call("/execution/health")  # builds the routes that tasks call: 4 s that no task need wait
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def _knows(self, dag: str) -> bool:
        return any(found["dag_id"] == dag for found in self._call("/api/v2/dags")["dags"])

    def _call(self, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if path.startswith("/api/"):
            headers["Authorization"] = f"Bearer {self._call('/auth/token')['access_token']}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}", json.dumps(body).encode() if body else None, headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return dict(json.load(answer))


def _signal_group(process: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    try:
        os.killpg(process.pid, sent)
    except ProcessLookupError:
        return


def _wait_for_end(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return  # the caller's next signal is SIGKILL
