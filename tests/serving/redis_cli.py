"""`redis-cli`, as a client that knows nothing of streamrec."""

import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.programs import program


def redis_cli(url: str) -> Callable[..., str]:
    """Asks the server, or the cluster, of a url."""
    client = program(("redis-cli",), "redis-tools")
    parts = urlsplit(url)
    options = ["-c"] if "+cluster" in parts.scheme else []
    command = [client, *options, "-h", str(parts.hostname), "-p", str(parts.port)]

    def ask(*words: str) -> str:
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.removesuffix("\n")

    return ask
