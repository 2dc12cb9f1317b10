import threading
import time

from contracts.errors import StoreUnavailableError
from contracts.settings import MirrorSettings
from serving.mirrors.thread import Mirrors

SETTINGS = MirrorSettings(backoff_ms=1, max_backoff_ms=5)


class Counter:
    """A mirror of nothing, whose refreshes fail while `problem` says so."""

    name = "counter"
    pause_seconds = 0.001

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem, self.said, self.refreshed = problem, "", threading.Semaphore(0)

    def refresh(self) -> None:
        if self.problem is not None:
            raise self.problem
        self.said = ""
        self.refreshed.release()

    def failed(self, problem: str) -> None:
        self.said = problem
        self.refreshed.release()

    def wait(self, times: int) -> None:
        for _ in range(times):
            assert self.refreshed.acquire(timeout=10)


def test_mirrors_are_refreshed_again_and_again_until_they_are_stopped() -> None:
    one, two = Counter(), Counter()
    mirrors = Mirrors([one, two], SETTINGS, time.monotonic)
    assert [state.age_seconds for state in mirrors.states()] == [float("inf")] * 2
    mirrors.start()
    assert mirrors.wait_until_loaded(10)
    one.wait(3)
    two.wait(3)
    mirrors.stop(10)
    states = mirrors.states()
    assert all(state.refreshes >= 3 and state.failures == 0 and not state.last_error for state in states)
    assert all(0 <= state.age_seconds < 60 for state in states)


def test_a_mirror_that_fails_says_why_and_recovers_by_itself() -> None:
    mirror = Counter(StoreUnavailableError("Redis did not answer"))
    mirrors = Mirrors([mirror], SETTINGS, time.monotonic)
    mirrors.start()
    mirror.wait(5)
    assert not mirrors.wait_until_loaded(0)
    [state] = mirrors.states()
    assert (state.last_error, state.refreshes, mirror.said) == ("Redis did not answer", 0, "Redis did not answer")
    mirror.problem = None
    assert mirrors.wait_until_loaded(10)
    mirrors.stop(10)
    assert (mirrors.states()[0].last_error, mirror.said) == ("", "")


def test_a_defect_does_not_stop_a_mirror() -> None:
    mirror = Counter(KeyError())
    mirrors = Mirrors([mirror], SETTINGS, time.monotonic)
    mirrors.start()
    mirror.wait(3)
    mirror.problem = None
    assert mirrors.wait_until_loaded(10)
    mirrors.stop(10)
    assert mirrors.states()[0].failures >= 3
