"""The server process, or several that share a port."""

import gc
import os
import tempfile

import uvicorn

from contracts.errors import SettingsError
from contracts.settings import Settings, load_settings
from serving.http.app import Edge
from serving.http.joined_writes import JoinedWrites
from serving.http.worker import Worker

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The name that prometheus-client itself reads."""
_NEW_OBJECTS = 10_000
"""Between two collections of the youngest objects; a request makes some hundred, and hardly ever a cycle of them."""


def serve(settings: Settings) -> None:
    """Serve until asked to stop.

    Raises:
        SettingsError: nobody could ask.
    """
    http = settings.http
    if http.needs_key and not http.api_keys:
        raise SettingsError(
            "http.api_keys is empty, so that nobody could ask; make a key by `python -m serving create_key --name NAME`"
            " or set http.needs_key to false where only trusted programs reach the port"
        )
    with tempfile.TemporaryDirectory(prefix="streamrec-metrics-") as folder:
        if http.workers > 1:
            os.environ[_METRICS_FOLDER] = folder
        uvicorn.run(
            "serving.http.serve:application",
            factory=True,
            host=http.host,
            port=http.port,
            workers=http.workers,
            loop="uvloop",
            http=JoinedWrites,
            # Paths hold user ids: what was asked is counted, never written down.
            access_log=False,
            log_level="warning",
            # Nobody's address is asked for.
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=5,
        )


def application() -> Edge:
    """What each server process makes for itself."""
    return Edge(Worker(load_settings(), os.environ.get(_METRICS_FOLDER)), _settle)


def _settle() -> None:
    """Spare the garbage collector what stays: to walk all that was imported and loaded takes tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
