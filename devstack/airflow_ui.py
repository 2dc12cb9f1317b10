"""`make airflow`: the DAGs in Airflow's web UI, with the Redis and the Spark Connect server that their tasks use."""

import os
from urllib.parse import urlsplit

from rich.console import Console

from contracts.settings import Settings
from devstack import services
from devstack.airflow import PROGRAM, airflow_environment, airflow_services
from devstack.service import LOCALHOST, ServiceSpec, free_port, port_open
from devstack.services import log_path
from devstack.steps import Runner


def hold_airflow(settings: Settings, port: int, console: Console) -> None:
    """Serve until Ctrl-C. A Redis or Spark server that is already up is used as it is."""
    specs, own = _services_of_tasks(settings)
    environment = airflow_environment(settings, port, {**os.environ, **own})
    with Runner(console, environment, log_path(settings, "airflow").parent) as runner:
        runner.wait(runner.start_program("airflow_db", [PROGRAM, "db", "migrate"]))
        running = [runner.serve(spec) for spec in [*specs, *airflow_services(settings, environment)]]
        for service in running:
            runner.ready(service)
        console.print(f"Airflow: {environment['AIRFLOW__API__BASE_URL']} (no password); Ctrl-C stops everything")
        running[-1].wait_end()


def _services_of_tasks(settings: Settings) -> tuple[list[ServiceSpec], dict[str, str]]:
    home = {"STREAMREC_HOME": str(settings.home.resolve())}
    specs = []
    redis_port = urlsplit(settings.redis.url).port or 6379
    if not port_open(redis_port):
        specs.append(services.redis_service(settings, redis_port))
    if settings.spark.remote:
        return specs, home
    spark_port = free_port()
    specs.append(services.spark_service(settings, spark_port))
    return specs, {**home, "STREAMREC_SPARK__REMOTE": f"sc://{LOCALHOST}:{spark_port}"}
