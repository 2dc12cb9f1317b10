"""`make edge`: the HTTP edge on the lists of this home, with the Redis and the consumers that keep it fresh."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console

from contracts.errors import ServiceStartError
from contracts.settings import Settings
from devstack import services
from devstack.service import LOCALHOST, ServiceSpec, port_open
from devstack.services import clean_environment, log_path
from devstack.steps import Runner

_CONSUMERS: Final = ("consume_live", "consume_content", "embed_fresh")


def hold_edge(settings: Settings, port: int, console: Console) -> None:
    """Serve until Ctrl-C or until the edge ends. A Redis that is already up is used as it is.

    Without keys in the settings anybody on this machine may ask: nothing else reaches the port.

    Raises:
        ServiceStartError: the port is taken, or something did not come up.
    """
    if port_open(port):
        raise ServiceStartError(f"port {port} is taken; choose another: python -m devstack edge --port PORT")
    redis_port = urlsplit(settings.redis.url).port or 6379
    specs = [] if port_open(redis_port) else [services.redis_service(settings, redis_port)]
    with Runner(console, os.environ, log_path(settings, "edge").parent) as runner:
        for spec in specs:
            runner.ready(runner.serve(spec))
        consumers = [_program(settings, name, {}, lambda: True) for name in _consumers(settings)]
        edge = _program(settings, "serve", _edge_environment(settings, port), partial(port_open, port))
        running = [runner.serve(spec) for spec in (*consumers, edge)]
        runner.ready(running[-1])
        beside = ", ".join(spec.name for spec in consumers)
        console.print(f"edge: http://{LOCALHOST}:{port}/ with {beside}; Ctrl-C stops everything")
        running[-1].wait_end()


def _consumers(settings: Settings) -> tuple[str, ...]:
    return (*_CONSUMERS, "learn") if settings.bandit.updates == "stream" else _CONSUMERS


def _edge_environment(settings: Settings, port: int) -> dict[str, str]:
    open_to_all = {} if settings.http.api_keys else {"STREAMREC_HTTP__NEEDS_KEY": "false"}
    return {"STREAMREC_HTTP__HOST": LOCALHOST, "STREAMREC_HTTP__PORT": str(port), **open_to_all}


def _program(settings: Settings, name: str, environment: dict[str, str], ready: Callable[[], bool]) -> ServiceSpec:
    """A command of the serving room that runs until it is stopped."""
    return ServiceSpec(
        name=name,
        command=[sys.executable, "-m", "serving", name],
        environment={**clean_environment(os.environ), "STREAMREC_HOME": str(settings.home.resolve()), **environment},
        ready=ready,
        log=log_path(settings, name),
    )
