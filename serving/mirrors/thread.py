"""The threads that keep a worker's mirrors fresh."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.settings import MirrorSettings
from serving.mirrors.mirror import Clock, Mirror

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MirrorState:
    """How a mirror does.

    Args:
        age_seconds: Since the last refresh that succeeded; infinite before the first.
        last_error: Of the last refresh; empty when it succeeded.
    """

    name: str
    age_seconds: float
    last_error: str
    refreshes: int
    failures: int


class MirrorThread:
    """Refreshes one mirror until it is stopped; after a failure it waits, longer each time, and goes on.

    A thread each: a mirror whose read waits for news keeps no other waiting, and in a cluster their feeds lie on
    different nodes. Start it in the process that serves, after any fork.
    """

    def __init__(self, mirror: Mirror, settings: MirrorSettings, clock: Clock) -> None:
        self.mirror = mirror
        self._settings, self._clock = settings, clock
        self._stop, self._is_loaded = threading.Event(), threading.Event()
        self._refreshed_at = float("-inf")
        self._last_error = ""
        self._refreshes = self._failures = self._failures_in_a_row = 0
        self._thread = threading.Thread(target=self._run, name=f"mirror-{mirror.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; it comes within one blocking read."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def wait_until_loaded(self, seconds: float) -> bool:
        """Whether the first table was there within the time."""
        return self._is_loaded.wait(seconds)

    def state(self) -> MirrorState:
        age = self._clock() - self._refreshed_at
        return MirrorState(self.mirror.name, age, self._last_error, self._refreshes, self._failures)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._turn())

    def _turn(self) -> float:
        """One refresh; returns the seconds to wait until the next."""
        try:
            self.mirror.refresh()
        except Exception as error:  # noqa: BLE001  whatever it was: a mirror that stops would be old for ever
            return self._failed(error)
        self._refreshed_at = self._clock()
        self._last_error, self._failures_in_a_row = "", 0
        self._refreshes += 1
        self._is_loaded.set()
        return self.mirror.pause_seconds

    def _failed(self, error: Exception) -> float:
        problem = str(error) or type(error).__name__
        if problem != self._last_error:
            _log.warning("mirror %s is not refreshed: %s", self.mirror.name, problem)
        self._last_error = problem
        self._failures += 1
        self._failures_in_a_row += 1
        self.mirror.failed(problem)
        doubled = self._settings.backoff_ms * 2.0 ** min(self._failures_in_a_row - 1, 20)
        return min(doubled, self._settings.max_backoff_ms) / 1000


class Mirrors:
    """All mirrors of a worker and their threads."""

    def __init__(self, mirrors: Sequence[Mirror], settings: MirrorSettings, clock: Clock) -> None:
        self._threads = [MirrorThread(mirror, settings, clock) for mirror in mirrors]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_until_loaded(self, seconds: float) -> bool:
        """Whether every mirror had its first table; they load side by side, and each is waited for that long."""
        return all(thread.wait_until_loaded(seconds) for thread in self._threads)

    def stop(self, seconds: float) -> None:
        """Ask all to end, and wait up to so long for each."""
        for thread in self._threads:
            thread.stop()
        for thread in self._threads:
            thread.join(seconds)

    def states(self) -> list[MirrorState]:
        return [thread.state() for thread in self._threads]
