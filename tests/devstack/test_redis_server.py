import subprocess
from pathlib import Path

from contracts.redis_server import redis_server


def test_a_server_on_path_comes_first(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert redis_server({"PATH": str(tmp_path)}) == program


def test_without_one_the_wheel_s_server_runs() -> None:
    program = redis_server({"PATH": ""})
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert "server v=" in answer.stdout
