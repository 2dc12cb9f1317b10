"""The command that learns from streams."""

import json
import logging
import signal
import threading
from dataclasses import asdict
from typing import Annotated

import typer

from contracts.errors import EpochConflictError, LearningElsewhereError, StoreUnavailableError
from contracts.settings import Settings, load_settings
from serving.learning.learner import Learner
from serving.stores.redis_store import RedisStore

_log = logging.getLogger(__name__)

Once = Annotated[bool, typer.Option("--once", help="Judge what can be judged, then end.")]


def add_commands(app: typer.Typer) -> None:
    """Add it to the room's commands."""
    app.command(name="learn")(learn_command)


def learn_command(once: Once = False) -> None:
    """Let the bandit learn from feedback as it comes, until stopped."""
    settings = load_settings()
    learner = learner_of(settings)
    if once:
        typer.echo(json.dumps(asdict(learner.step())))
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(learner, settings.bandit.step_seconds, stop)


def learner_of(settings: Settings) -> Learner:
    """The learner of the settings' Redis.

    Raises:
        LearningElsewhereError: the daily update is in charge.
    """
    if settings.bandit.updates != "stream":
        raise LearningElsewhereError(
            "bandit.updates is `daily`, so update_posteriors learns from the day's views; both would count the same"
            " slates. To learn from feedback as it comes set STREAMREC_BANDIT__UPDATES=stream for all of serving"
        )
    store = RedisStore.open(settings.redis.url, settings.redis.batch_timeout_ms)
    return Learner(store, store, settings)


def run(learner: Learner, pause_seconds: float, stop: threading.Event) -> None:
    """A step, a line of what it did, a pause; until told to stop. A store that is away is waited for."""
    while not stop.is_set():
        try:
            typer.echo(json.dumps(asdict(learner.step())))
        except (StoreUnavailableError, EpochConflictError) as error:
            _log.warning("nothing is learnt now: %s", error)
        stop.wait(pause_seconds)
