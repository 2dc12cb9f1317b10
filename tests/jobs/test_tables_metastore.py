import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.spark_process import ROWS, SparkProcess

START_SECONDS = 180.0


@pytest.fixture
def metastore_uri(tmp_path: Path) -> Iterator[str]:
    """A Hive metastore server on a Derby database of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "devstack.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "devstack", "metastore", "--port", str(port)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "STREAMREC_HOME": str(tmp_path / "server")},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(port, server, tmp_path / "devstack.log")
            yield f"thrift://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(log.read_text())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_session_reads_through_the_metastore_server_what_another_writes(tmp_path: Path, metastore_uri: str) -> None:
    environment = {"STREAMREC_HOME": str(tmp_path / "home"), "STREAMREC_HIVE_METASTORE_URI": metastore_uri}
    with SparkProcess(environment, tmp_path / "writer.log") as writer:
        writer.ask("write 1")
        assert writer.ask("hive") == {"1": ROWS}
        with SparkProcess(environment, tmp_path / "reader.log") as reader:
            assert reader.ask("hive") == {"1": ROWS}
            writer.ask("write 2")
            assert reader.ask("hive") == {"2": ROWS}
            reader.ask("write 3")
        assert writer.ask("hive") == {"3": ROWS}
    assert not (tmp_path / "home" / "metastore").exists()
