"""One real day: the log of a tiny world, `ingest` triggered in a real Airflow, and what the chain leaves behind."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import redis
from rich.console import Console

from contracts import names, redis_keys
from contracts import tables as t
from contracts.settings import RedisSettings, Settings, SparkSettings
from contracts.snapshots import Warehouse
from devstack import services
from devstack.airflow import PROGRAM, AirflowApi, airflow_environment, airflow_services
from devstack.demo.day import AirflowDay
from devstack.demo.plan import DemoLog, demo_environment
from devstack.service import LOCALHOST, free_port
from devstack.steps import Runner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]  # 11 minutes at a load of 16 on two cores

WORLD = Path("world") / "configs" / "small.toml"
FIRST, HISTORY_END, DAY, NEXT_DAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
OF_THE_DAY = (*t.DERIVED_TABLES, t.WATCH_EVENT)
CHAIN_SECONDS = 900


@dataclass(frozen=True)
class Ran:
    """A platform after its day."""

    settings: Settings
    log: DemoLog
    runner: Runner
    api: AirflowApi

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    home = tmp_path_factory.mktemp("platform")
    ports = {"redis": free_port(), "spark": free_port()}
    settings = Settings(
        home=home,
        redis=RedisSettings(url=f"redis://{LOCALHOST}:{ports['redis']}/0"),
        spark=SparkSettings(remote=f"sc://{LOCALHOST}:{ports['spark']}"),
    )
    log = DemoLog(home / "log")
    with Runner(Console(stderr=True), _environment(settings, log), home / "logs") as runner:
        for spec in (
            services.redis_service(settings, ports["redis"]),
            services.spark_service(settings, ports["spark"]),
        ):
            runner.ready(runner.serve(spec))
        runner.run("generate", ["world", "generate", "--config", str(WORLD), "--out", str(log.path)])
        history = ["--from", FIRST.isoformat(), "--to", HISTORY_END.isoformat()]
        runner.run("import_log", ["jobs", "import_log", *history, *log.options])
        runner.run("backfill", ["jobs", "backfill", *history])
        yield Ran(settings, log, runner, _run_day(runner, settings))


def test_every_task_ran_once_for_the_day_that_ingest_was_given(ran: Ran) -> None:
    runs = ran.api.runs()

    assert [run["dag_id"] for run in runs] == [
        names.DAG_INGEST,
        names.DAG_DAILY_FEATURES,
        names.DAG_TRAIN_TWO_TOWER,
        names.DAG_PUBLISH_CANDIDATES,
    ]
    assert {(run["partition_key"], run["state"]) for run in runs} == {(DAY.isoformat(), "success")}
    assert {(task["state"], task["try_number"]) for task in ran.api.tasks()} == {("success", 1)}


@pytest.mark.parametrize("table", OF_THE_DAY, ids=lambda table: table.name)
def test_the_chain_writes_the_day_of_every_table_and_no_later_one(ran: Ran, table: t.Table) -> None:
    assert ran.warehouse.dates(table)[-1] == DAY
    has_rows = table != t.EXPLORATION_REPORT  # nobody has been shown anything
    assert (ran.warehouse.require(table, DAY).rows > 0) == has_rows


def test_the_published_generation_is_that_of_the_day(ran: Ran) -> None:
    assert DAY.isoformat() in _published(ran.settings)


def test_lists_of_a_running_day_reach_redis(ran: Ran) -> None:
    day = ["--date", NEXT_DAY.isoformat()]

    ran.runner.run("import_running_day", ["jobs", "import_log", *day, *ran.log.options])
    ran.runner.run("refresh", ["jobs", "refresh", *day, "--hour", "12"])
    ran.runner.run("publish_hour", ["serving", "publish", *day])

    assert NEXT_DAY.isoformat() in _published(ran.settings)
    assert ran.warehouse.require(t.CANDIDATE_LIST, NEXT_DAY).until is not None
    assert ran.warehouse.current(t.USER_FEATURE, NEXT_DAY) is None


def _published(settings: Settings) -> set[str]:
    """What is said of the generation that is served."""
    with redis.Redis.from_url(settings.redis.url, decode_responses=True) as client:
        generation = client.get(redis_keys.GENERATION_POINTER)
        return set(client.hgetall(redis_keys.generation_info(generation)).values())


def _environment(settings: Settings, log: DemoLog) -> dict[str, str]:
    own = {"STREAMREC_REDIS__URL": settings.redis.url, "STREAMREC_SPARK__REMOTE": str(settings.spark.remote)}
    return airflow_environment(settings, free_port(), demo_environment(settings, log, os.environ) | own)


def _run_day(runner: Runner, settings: Settings) -> AirflowApi:
    runner.wait(runner.start_program("airflow_db", [PROGRAM, "db", "migrate"]))
    for running in [runner.serve(spec) for spec in airflow_services(settings, runner.environment)]:
        runner.ready(running)
    api = AirflowApi(runner.environment["AIRFLOW__API__BASE_URL"])
    AirflowDay(runner, api, Path(runner.environment["AIRFLOW_HOME"]), DAY).run(CHAIN_SECONDS)
    return api
