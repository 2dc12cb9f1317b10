"""`python -m serving embed_fresh`."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from contracts.errors import StoreUnavailableError
from contracts.settings import Settings, load_settings
from serving.fresh.consumer import FreshConsumer, FreshReport
from serving.stores.redis_store import RedisStore


def embed_fresh_command(
    once: Annotated[bool, typer.Option(help="Stop when all events that are there now have been taken in.")] = False,
) -> None:
    """Embed contents as they are published or changed, and keep them where workers find them, until stopped."""
    settings = load_settings()
    consumer = _consumer(settings)
    for report in _caught_up(consumer) if once else _until_stopped(consumer, settings):
        typer.echo(json.dumps(asdict(report)))


def _consumer(settings: Settings) -> FreshConsumer:
    # Read when torch is imported: beside other busy processes, threads that spin as they wait take more than they give.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # MLflow would call its maker and leave an installation id in the home folder.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from serving.fresh.registry import RegisteredTowers  # noqa: PLC0415  torch and MLflow take seconds

    store = RedisStore.open(settings.redis.url, settings.redis.batch_timeout_ms)
    return FreshConsumer(store, RegisteredTowers(settings), settings, time.time)


def _caught_up(consumer: FreshConsumer) -> Iterator[FreshReport]:
    """Step until there is nothing left to read."""
    while True:
        report = consumer.step(0)
        yield report
        if not report.events and not report.overtaken:
            return


def _until_stopped(consumer: FreshConsumer, settings: Settings) -> Iterator[FreshReport]:
    """Step until SIGTERM or SIGINT, saying what each step did, if anything; a store that is away is waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            report = consumer.step(settings.fresh.block_ms)
        except StoreUnavailableError as error:
            typer.echo(f"waiting: {error}", err=True)
            stop.wait(settings.mirrors.max_backoff_ms / 1000)
            continue
        if report.events or report.embedded or report.dropped:
            yield report
