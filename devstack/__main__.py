"""`python -m devstack COMMAND`: a service until Ctrl-C, or the whole demo."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer
from rich.console import Console

from contracts.command_line import run
from contracts.names import LogFormat
from contracts.settings import load_settings
from devstack import services
from devstack.airflow_ui import hold_airflow
from devstack.demo.plan import named_log
from devstack.demo.run import run_demo
from devstack.edge import hold_edge
from devstack.service import LOCALHOST, Service, ServiceSpec, free_port

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Port = Annotated[int, typer.Option(help="0 takes a free one.")]


@app.command(name="redis")
def serve_redis(port: Annotated[int | None, typer.Option(help="Default: that of redis.url.")] = None) -> None:
    """Redis on the lists of this home."""
    settings = load_settings()
    port = urlsplit(settings.redis.url).port or 6379 if port is None else port or free_port()
    _hold(services.redis_service(settings, port), f"STREAMREC_REDIS__URL=redis://{LOCALHOST}:{port}/0")


@app.command(name="spark")
def serve_spark(port: Port = 15002) -> None:
    """A Spark Connect server on the tables of this home."""
    port = port or free_port()
    _hold(services.spark_service(load_settings(), port), f"STREAMREC_SPARK__REMOTE=sc://{LOCALHOST}:{port}")


@app.command(name="metastore")
def serve_metastore(port: Port = 9083) -> None:
    """A Hive metastore server on the database of this home."""
    port = port or free_port()
    _hold(
        services.metastore_service(load_settings(), port), f"STREAMREC_HIVE_METASTORE_URI=thrift://{LOCALHOST}:{port}"
    )


@app.command(name="mlflow")
def serve_mlflow(port: Port = 5000) -> None:
    """MLflow's web UI on the runs and models of this home."""
    port = port or free_port()
    _hold(services.mlflow_service(load_settings(), port), f"http://{LOCALHOST}:{port}")


@app.command(name="airflow")
def serve_airflow(port: Port = 8080) -> None:
    """Airflow with its web UI, beside the Redis and the Spark Connect server that its tasks use."""
    hold_airflow(load_settings(), port or free_port(), Console())


@app.command(name="edge")
def serve_edge(port: Annotated[int | None, typer.Option(help="Default: that of http.port.")] = None) -> None:
    """The HTTP edge with its page, beside the Redis and the consumers that keep it fresh."""
    settings = load_settings()
    hold_edge(settings, settings.http.port if port is None else port or free_port(), Console())


@app.command(name="demo")
def demo(
    home: Annotated[Path, typer.Option(help="Folder of all that it writes; emptied first.")] = Path("demo"),
    log: Annotated[Path | None, typer.Option(help="A watch log; one is made when left out.")] = None,
    format_: Annotated[LogFormat, typer.Option("--format", help="How the log is read.")] = LogFormat.WATCH_EVENT,
    mapping: Annotated[Path | None, typer.Option(help="For --format mapped.")] = None,
) -> None:
    """A log, its history, one day through Airflow, slates, and the next day's verdict."""
    run_demo(load_settings().model_copy(update={"home": home}), named_log(log, format_, mapping), Console())


def _hold(spec: ServiceSpec, address: str) -> None:
    with Service(spec) as service:
        typer.echo(f"{spec.name} is up; log: {spec.log}; Ctrl-C stops it\n{address}")
        status = service.wait_end()
    raise typer.Exit(status)


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  the signature is Python's
    """Leave by an exception, so that whatever was started is stopped."""
    sys.exit(128 + number)


def main() -> None:
    """Run a command; a named error is one line."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    run(app)


if __name__ == "__main__":
    main()
