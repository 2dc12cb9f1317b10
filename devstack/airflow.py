"""Airflow on one machine: SQLite, a local executor, everybody an admin, all of its state below the run's home."""

import json
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from contracts.settings import Settings
from devstack.service import LOCALHOST, REPOSITORY, ServiceSpec
from devstack.services import clean_environment, log_path

PROGRAM: Final = str(Path(sys.executable).with_name("airflow"))
_COMPONENTS: Final = {"api-server": [], "scheduler": ["--skip-serve-logs"], "dag-processor": []}


def airflow_environment(settings: Settings, port: int, environment: Mapping[str, str]) -> dict[str, str]:
    """What every Airflow program of one run must be told; foreign AIRFLOW variables are left out."""
    home, address = settings.home.resolve() / "airflow", f"http://{LOCALHOST}:{port}"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in clean_environment(environment).items() if not name.startswith("AIRFLOW")}
    own = {
        "CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "CORE__DEFAULT_TIMEZONE": settings.platform.time_zone,
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "2",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "API__HOST": LOCALHOST,
        "API__PORT": str(port),
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        # A supervisor that misses its task's end waits this long for nothing; the default of 5 s doubles the run.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    named = {f"AIRFLOW__{name}": value for name, value in own.items()}
    return {**kept, **named, "AIRFLOW_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}


def airflow_services(settings: Settings, environment: Mapping[str, str]) -> list[ServiceSpec]:
    """The three programs of an Airflow, for a database that `airflow db migrate` has made."""
    api = AirflowApi(environment["AIRFLOW__API__BASE_URL"])
    return [
        ServiceSpec(
            name=f"airflow-{component}",
            command=[PROGRAM, component, *options],
            environment=environment,
            # The others are ready when they have done something, which the API tells.
            ready=api.is_up if component == "api-server" else partial(bool, True),
            log=log_path(settings, f"airflow-{component}"),
            timeout_seconds=120.0,
        )
        for component, options in _COMPONENTS.items()
    ]


@dataclass(frozen=True)
class AirflowApi:
    """Airflow's REST API, as far as an operator's day needs it, for one sitting: its token holds for a day."""

    address: str

    def is_up(self) -> bool:
        try:
            self._call("/execution/health")  # builds the routes that tasks call: 4 s that no task need wait
        except OSError:
            return False
        return True

    def knows(self, dags: set[str]) -> bool:
        """Whether the DAG processor has found all of these."""
        return dags <= {found["dag_id"] for found in self._call("/api/v2/dags")["dags"]}

    def trigger(self, dag: str, partition_key: str) -> None:
        """Start a run for one partition."""
        self._call(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "partition_key": partition_key})

    def runs(self) -> list[dict[str, Any]]:
        """Every run of every DAG, oldest first."""
        return list(self._call("/api/v2/dags/~/dagRuns?order_by=id&limit=100")["dag_runs"])

    def tasks(self) -> list[dict[str, Any]]:
        """Every task of every run."""
        return list(self._call("/api/v2/dags/~/dagRuns/~/taskInstances?limit=100")["task_instances"])

    @cached_property
    def _token(self) -> str:
        return str(self._call("/auth/token")["access_token"])

    def _call(self, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if path.startswith("/api/"):
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.address + path, data, headers)  # noqa: S310  our own address
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return dict(json.load(answer))
