"""Numbers for Prometheus. Counted in plain Python while requests run, handed over once a second."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.mirrors.thread import MirrorState
from serving.pipeline import StageRecord
from serving.slate import Slate

_BUCKETS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class Metrics:
    """What a worker counts.

    Args:
        multiprocess_folder: Where workers that share a port leave their numbers for each other; None for one alone.
    """

    def __init__(self, multiprocess_folder: str | None) -> None:
        self._folder = multiprocess_folder
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "streamrec_requests",
            "Answers by route, caller and status.",
            ("route", "caller", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "streamrec_request_seconds",
            "From head to body, by surface.",
            ("surface",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._levels = Counter(
            "streamrec_slates", "Slates by surface and the nearest list.", ("surface", "level"), registry=registry
        )
        stage = ("stage", "name")
        self._stage_seconds = Counter("streamrec_stage_seconds", "Time in each stage.", stage, registry=registry)
        self._entered = Counter("streamrec_stage_entered", "Candidates into each stage.", stage, registry=registry)
        self._left = Counter("streamrec_stage_left", "Candidates out of each stage.", stage, registry=registry)
        self._unread = Counter("streamrec_unread_users", "Slates made without the store.", registry=registry)
        self._impressions = Counter(
            "streamrec_impressions", "Logged, or lost to a full queue.", ("fate",), registry=registry
        )
        self._mirror_age = Gauge(
            "streamrec_mirror_age_seconds", "Since each mirror's last refresh.", ("mirror",), registry=registry,
            multiprocess_mode="max",
        )  # fmt: skip
        self._store_up = Gauge(
            "streamrec_store_up", "1 while Redis answers.", registry=registry, multiprocess_mode="min"
        )
        self._requests_tally: Tally[tuple[str, str, int]] = Tally()
        self._levels_tally: Tally[tuple[str, str]] = Tally()
        self._stages_tally: dict[str, list[Any]] = {}
        self._of_surface: dict[str, Histogram] = {}
        self._impressions_known = {"sent": 0, "lost": 0}
        self._unread_tally = 0

    def answered(self, route: str, caller: str, status: int) -> None:
        self._requests_tally[route, caller, status] += 1

    def served(self, slate: Slate, seconds: float) -> None:
        """Count a slate and its stages."""
        surface = slate.query.request.surface
        observed = self._of_surface.get(surface)
        if observed is None:
            observed = self._of_surface[surface] = self._seconds.labels(surface)
        observed.observe(seconds)
        self._levels_tally[surface, slate.level] += 1
        self._unread_tally += bool(slate.query.problem)
        self._add(slate.outcome.trace.records)

    def _add(self, records: Sequence[StageRecord]) -> None:
        tally = self._stages_tally
        for stage, name, nanoseconds, entered, left in records:
            sums = tally.get(name)
            if sums is None:
                sums = tally[name] = [stage, 0, 0, 0]
            sums[1] += nanoseconds
            sums[2] += entered
            sums[3] += left

    def hand_over(self, sent: int, lost: int, is_store_up: bool, mirrors: Sequence[MirrorState]) -> None:
        """Give Prometheus what was counted since the last time, once: a tally is put aside before it is handed over."""
        requests, self._requests_tally = self._requests_tally, Tally()
        levels, self._levels_tally = self._levels_tally, Tally()
        stages, self._stages_tally = self._stages_tally, {}
        unread, self._unread_tally = self._unread_tally, 0
        for labels, count in requests.items():
            self._requests.labels(*labels).inc(count)
        for pair, count in levels.items():
            self._levels.labels(*pair).inc(count)
        for name, (stage, nanoseconds, entered, left) in stages.items():
            self._stage_seconds.labels(stage, name).inc(nanoseconds / 1e9)
            self._entered.labels(stage, name).inc(entered)
            self._left.labels(stage, name).inc(left)
        self._unread.inc(unread)
        for fate, count in (("sent", sent), ("lost", lost)):
            self._impressions.labels(fate).inc(count - self._impressions_known[fate])
            self._impressions_known[fate] = count
        self._store_up.set(is_store_up)
        for mirror in mirrors:
            self._mirror_age.labels(mirror.name).set(mirror.age_seconds)

    def text(self) -> bytes:
        """The exposition, of all workers that share the port."""
        registry = self._registry
        if self._folder is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, self._folder)
        return generate_latest(registry)
