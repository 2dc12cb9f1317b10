"""`redis-cli`, as a client that knows nothing of streamrec."""

import shutil
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest


def redis_cli(url: str) -> Callable[..., str]:
    """Asks the server, or the cluster, of a url; skips the test where the program is missing."""
    program = shutil.which("redis-cli")
    if program is None:
        pytest.skip("redis-cli is not on this machine: apt-get install redis-tools (CI does so, see .ci/run)")
    parts = urlsplit(url)
    options = ["-c"] if "+cluster" in parts.scheme else []
    command = [program, *options, "-h", str(parts.hostname), "-p", str(parts.port)]

    def ask(*words: str) -> str:
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.removesuffix("\n")

    return ask
