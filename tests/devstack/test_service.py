import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import redis

from contracts.errors import ServiceStartError
from contracts.settings import Settings
from devstack.service import LOCALHOST, Service, ServiceSpec, free_port, port_open
from devstack.services import redis_service

_REPOSITORY = Path(__file__).parents[2]


def _spec(tmp_path: Path, program: str, port: int, timeout_seconds: float = 5.0) -> ServiceSpec:
    return ServiceSpec(
        name="helper",
        command=[sys.executable, "-c", program],
        environment=os.environ,
        ready=partial(port_open, port),
        log=tmp_path / "logs" / "helper.log",
        timeout_seconds=timeout_seconds,
    )


def _gone(pid: int) -> bool:
    """Whether the process ends within a few seconds (a zombie has ended)."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_redis_serves_while_the_context_lasts_and_keeps_its_data(tmp_path: Path) -> None:
    settings, port = Settings(home=tmp_path), free_port()
    with Service(redis_service(settings, port)):
        redis.Redis(host=LOCALHOST, port=port).set("kept", "yes")
    assert not port_open(port)
    with Service(redis_service(settings, port)):
        assert redis.Redis(host=LOCALHOST, port=port).get("kept") == b"yes"


def test_a_service_that_dies_at_once_is_an_error_with_its_last_words_and_its_log(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "import sys; sys.exit('no such disk')", free_port())
    with pytest.raises(ServiceStartError, match=r"helper ended at once: no such disk; see .*helper\.log"):
        Service(spec).__enter__()


def test_a_service_that_never_answers_is_stopped_and_is_an_error(tmp_path: Path) -> None:
    service = Service(_spec(tmp_path, "import time; time.sleep(60)", free_port(), timeout_seconds=0.3))
    service.start()
    pid = service.pid
    with pytest.raises(ServiceStartError, match="did not answer within 0 s"):
        service.wait_ready()
    assert pid is not None
    assert _gone(pid)


def test_a_port_in_use_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    port = free_port()
    with Service(redis_service(Settings(home=tmp_path / "first"), port)):
        spec = redis_service(Settings(home=tmp_path / "second"), port)
        second = Service(spec)
        second.start()
        assert second.wait_end() != 0
        assert "in use" in spec.log.read_text().lower()


def test_a_killed_parent_takes_its_service_along(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from contracts.settings import Settings\n"
        "from devstack.service import Service; from devstack.services import redis_service\n"
        "service = Service(redis_service(Settings(home=Path(sys.argv[1])), int(sys.argv[2])))\n"
        "service.start(); service.wait_ready(); print(service.pid, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path), str(free_port())]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_REPOSITORY)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _gone(pid)
