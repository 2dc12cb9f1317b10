"""Runs the steps of a demo as processes, shows what runs and how long it took, and stops everything at the end."""

import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.console import Console

from contracts.errors import StepFailedError
from devstack.service import Service, ServiceSpec, end, spawn

_TAIL_LINES: Final = 15


@dataclass(frozen=True)
class Step:
    """A started program."""

    name: str
    process: subprocess.Popen[bytes]
    started: float
    log: Path
    answer: Path


@dataclass
class Runner:
    """Starts steps and services; leaving it ends whatever still runs.

    Args:
        environment: Of every step.
        logs: Folder with one file per step.
    """

    console: Console
    environment: Mapping[str, str]
    logs: Path
    _open: ExitStack = field(default_factory=ExitStack)

    def start(self, name: str, command: list[str]) -> Step:
        """Start `python -m COMMAND...`, to be waited for."""
        return self.start_program(name, [sys.executable, "-m", *command])

    def start_program(self, name: str, command: list[str]) -> Step:
        """Start any program, to be waited for."""
        log, answer = self.logs / f"{name}.log", self.logs / f"{name}.out"
        process = spawn(command, self.environment, log, answer)
        self._open.callback(end, process)
        return Step(name, process, time.monotonic(), log, answer)

    def wait(self, step: Step) -> str:
        """What the step printed, when it has ended well.

        Raises:
            StepFailedError: it did not; the end of its log has been shown.
        """
        with self.console.status(step.name):
            status = step.process.wait()
        if status != 0:
            self.show_tail(step.log)
            raise StepFailedError(f"step {step.name} ended with status {status}; see {step.log}")
        self.done(step.name, time.monotonic() - step.started)
        return step.answer.read_text()

    def run(self, name: str, command: list[str]) -> str:
        """Start and wait."""
        return self.wait(self.start(name, command))

    def serve(self, spec: ServiceSpec) -> Service:
        """Start a service that stays until the end; it is up when `ready` has returned."""
        service = Service(spec)
        self._open.callback(service.stop)
        service.start()
        return service

    def ready(self, service: Service) -> None:
        """Wait until a service answers; shows for how long."""
        asked = time.monotonic()
        with self.console.status(service.spec.name):
            service.wait_ready()
        self.done(service.spec.name, time.monotonic() - asked)

    def done(self, name: str, seconds: float) -> None:
        """Show that something has ended well."""
        self.console.print(f"  {name:<32} {seconds:6.1f} s", highlight=False)

    def show_tail(self, log: Path) -> None:
        """Show the end of a log."""
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:] if log.exists() else []
        for line in lines:
            self.console.print(f"    | {line}", highlight=False, markup=False, style="red")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
