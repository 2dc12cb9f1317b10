"""The demo: a log, its history in one backfill, one day through Airflow, slates, and the next day's verdict."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from contracts.settings import PlatformSettings, RedisSettings, Settings, SparkSettings
from contracts.spark import SHORT_RUN
from devstack import services
from devstack.airflow import PROGRAM, AirflowApi, airflow_environment, airflow_services
from devstack.demo import show
from devstack.demo.day import AirflowDay
from devstack.demo.people import people_to_show, surfaces_to_show
from devstack.demo.plan import DemoDays, DemoLog, choose_days, demo_environment, empty_home, write_environment_file
from devstack.service import LOCALHOST, Service, free_port
from devstack.steps import Runner, Step

WORLD_CONFIG: Final = Path("world") / "configs" / "demo.toml"
_SLATE_LENGTH: Final = 10
_AIRFLOW_SECONDS: Final = 1_800.0
_LEASE_SECONDS: Final = 86_400  # people who try things afterwards still find somebody live


@dataclass(frozen=True)
class Demo:
    """One run of the demo in a folder of its own."""

    settings: Settings
    log: DemoLog
    runner: Runner

    def run(self, make_log: bool) -> None:
        """Everything, from nothing to slates and their verdict."""
        self._prepare(make_log)
        days = self._days()
        airflow = [self.runner.serve(spec) for spec in airflow_services(self.settings, self.runner.environment)]
        self._history(days)  # beside Airflow's start
        self._pipeline_day(days.pipeline, airflow)
        value = self._next_day(days)
        slates = self._slates(days)  # beside the valuation of what judges them
        self.runner.wait(value)
        metrics = self._verdict(days)
        show.closing(self.runner.console, self.settings, days, slates, metrics)

    def _prepare(self, make_log: bool) -> None:
        """Whatever does not wait for the log comes up beside its making."""
        steps = [self.runner.start_program("airflow_db", [PROGRAM, "db", "migrate"])]
        if make_log:
            generate = ["world", "generate", "--config", str(WORLD_CONFIG), "--out", str(self.log.path)]
            steps.append(self.runner.start("world_generate", generate))
        ports = {"redis": _port(self.settings.redis.url), "spark": _port(self.settings.spark.remote or "")}
        redis = self.runner.serve(services.redis_service(self.settings, ports["redis"]))
        spark = self.runner.serve(services.spark_service(self.settings, ports["spark"]))
        self.runner.ready(redis)
        self.runner.ready(spark)
        for step in steps:
            self.runner.wait(step)

    def _days(self) -> DemoDays:
        answer = self.runner.run("log_days", ["jobs", "log_days", *self.log.options])
        return choose_days([date.fromisoformat(day) for day in json.loads(answer.splitlines()[-1])])

    def _history(self, days: DemoDays) -> None:
        span = ["--from", days.first.isoformat(), "--to", days.history_end.isoformat()]
        self.runner.run("backfill", ["jobs", "backfill", *span, *self.log.options])

    def _pipeline_day(self, day: date, airflow: Sequence[Service]) -> None:
        environment = self.runner.environment
        for service in airflow:
            self.runner.ready(service)
        api = AirflowApi(environment["AIRFLOW__API__BASE_URL"])
        AirflowDay(self.runner, api, Path(environment["AIRFLOW_HOME"]), day).run(_AIRFLOW_SECONDS)
        for service in airflow:
            service.stop()

    def _next_day(self, days: DemoDays) -> Step:
        judge = days.judge.isoformat()
        self.runner.run("import_next_day", ["jobs", "import_log", "--date", judge, *self.log.options])
        return self.runner.start("value_next_day", ["jobs", "view_valuation", "--date", judge])

    def _verdict(self, days: DemoDays) -> dict[str, Any]:
        verdict = ["jobs", "next_day_metrics", "--date", days.pipeline.isoformat(), "--json"]
        answer = self.runner.run("next_day_metrics", verdict)
        metrics: dict[str, Any] = json.loads(answer.splitlines()[-1])
        (self.settings.home / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        return metrics

    def _slates(self, days: DemoDays) -> list[show.Slate]:
        at = days.evening(self.settings).isoformat()
        lease = ["--lease-seconds", str(_LEASE_SECONDS)]
        self.runner.run("sync_live", ["serving", "sync_live", "--date", days.judge.isoformat(), "--at", at, *lease])
        asked, surfaces = [], surfaces_to_show(self.settings, days.judge)
        for person in people_to_show(self.settings, days.pipeline):
            for surface in surfaces:
                name = f"recommend_{surface.value}_{person.user_id}"
                whose = ["--user", str(person.user_id), "--surface", surface.value, "--limit", str(_SLATE_LENGTH)]
                # A named request has a fixed seed: the same demo gives the same slates.
                command = ["serving", "recommend", *whose, "--at", at, "--request-id", name]
                asked.append((person, surface, self.runner.start(name, command)))
        return [show.Slate(person, surface, self.runner.wait(step)) for person, surface, step in asked]


def run_demo(settings: Settings, log: DemoLog | None, console: Console) -> None:
    """Run the demo in `settings.home`, which is emptied first."""
    home = settings.home.resolve()
    empty_home(home)
    chosen = log or DemoLog(home / "log")
    settings = _own_services(settings, chosen)
    environment = demo_environment(settings, chosen, os.environ)
    write_environment_file(home, environment)
    own = {"STREAMREC_REDIS__URL": settings.redis.url, "STREAMREC_SPARK__REMOTE": settings.spark.remote or ""}
    shared = airflow_environment(settings, free_port(), {**environment, **own})
    with Runner(console, shared, home / "logs") as runner:
        Demo(settings, chosen, runner).run(make_log=log is None)


def _own_services(settings: Settings, log: DemoLog) -> Settings:
    """Services of the demo's own on free ports: whatever else runs on this machine is left alone."""
    zone = log.environment.get("STREAMREC_PLATFORM__TIME_ZONE", settings.platform.time_zone)
    update = {
        "home": settings.home.resolve(),
        "platform": PlatformSettings.model_validate({**settings.platform.model_dump(), "time_zone": zone}),
        "redis": RedisSettings.model_validate(
            {**settings.redis.model_dump(), "url": f"redis://{LOCALHOST}:{free_port()}/0"}
        ),
        "spark": SparkSettings.model_validate(
            {**settings.spark.model_dump(), "remote": f"sc://{LOCALHOST}:{free_port()}", "java_options": SHORT_RUN}
        ),
    }
    return settings.model_copy(update=update)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2].partition("/")[0])
