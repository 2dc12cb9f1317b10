"""A program of the devstack: started, waited for, stopped; its output goes to a log file that errors name."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contracts.errors import ServiceStartError

LOCALHOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 10.0
REPOSITORY: Final = Path(__file__).resolve().parents[1]
_LEASH: Final = Path(__file__).with_name("leash.py")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_open(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((LOCALHOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def spawn(
    command: list[str], environment: Mapping[str, str], log: Path, answer: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in its own process group, on a leash; its output is the log file.

    Args:
        answer: Takes standard output, when the log is to hold only the errors.

    Call it from the main thread: the kernel ends a leashed program with the thread that started it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    leashed = [sys.executable, "-S", "-E", str(_LEASH), str(os.getpid()), *command]
    with log.open("wb") as errors, (answer or log).open("ab") as output:
        return subprocess.Popen(
            leashed,
            env=dict(environment),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors if answer else subprocess.STDOUT,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a spawned program and what it started: asked first, then killed."""
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@dataclass(frozen=True)
class ServiceSpec:
    """What a service is: `ready` is asked until it says yes or the time is over."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    log: Path
    timeout_seconds: float = 60.0


class Service:
    """One running program. A context manager: entering starts and waits, leaving stops."""

    def __init__(self, spec: ServiceSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start without waiting, so that several come up side by side."""
        self._process = spawn(self.spec.command, self.spec.environment, self.spec.log)

    def wait_ready(self) -> None:
        """Return when the service answers.

        Raises:
            ServiceStartError: it ended, or did not answer in time; it is stopped then.
        """
        deadline = time.monotonic() + self.spec.timeout_seconds
        while not self.spec.ready():
            if self._process is None or self._process.poll() is not None:
                raise self._error("ended at once")
            if time.monotonic() > deadline:
                self.stop()
                raise self._error(f"did not answer within {self.spec.timeout_seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait_end(self) -> int:
        """Return the exit status when the program ends by itself."""
        if self._process is None:
            raise self._error("was never started")
        return self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _error(self, what: str) -> ServiceStartError:
        last = self.spec.log.read_text(errors="replace").strip().splitlines()[-1:] if self.spec.log.exists() else []
        return ServiceStartError(f"{self.spec.name} {what}: {' '.join(last) or 'it said nothing'}; see {self.spec.log}")
