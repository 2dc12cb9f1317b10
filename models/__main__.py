"""`python -m models COMMAND`."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.command_line import run
from contracts.names import ALIAS_CHAMPION
from contracts.settings import load_settings

app = typer.Typer(help="Retrieval models: train one, retrieve candidates with one.", no_args_is_help=True)

Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The platform's day.")]


@app.command(name="train")
def train_command(date: Day) -> None:
    """Train the two-tower model on the days up to a day and register it as challenger."""
    from models.two_tower.commands import train  # noqa: PLC0415  torch and MLflow take seconds; --help need not
    from models.two_tower.inputs import FeastReader  # noqa: PLC0415

    settings = load_settings()
    trained = train(settings, date.date(), FeastReader(settings), datetime.now(UTC))
    if trained is None:
        return
    last = {name: round(values[-1], 4) for name, values in trained.curves.items()}
    typer.echo(f"registered {trained.version.name} version {trained.version.version} from {trained.examples} examples")
    typer.echo(json.dumps(last, sort_keys=True))


@app.command(name="retrieve")
def retrieve_command(
    date: Day, alias: Annotated[str, typer.Option(help="Which version of the model.")] = ALIAS_CHAMPION
) -> None:
    """Score every user against every item and write the day's retrieved candidates and the users' vectors."""
    from models.two_tower.commands import retrieve  # noqa: PLC0415

    for snapshot in retrieve(load_settings(), date.date(), alias, datetime.now(UTC)):
        typer.echo(f"wrote {snapshot.rows} rows of {snapshot.table} for {snapshot.dt}")


@app.command(name="forget")
def forget_command() -> None:
    """Take erased users out of every stored model; run it while nobody trains or retrieves."""
    from models.two_tower.forget import forget  # noqa: PLC0415

    changed = forget(load_settings())
    typer.echo(f"{len(changed)} models held an erased user and do no more")


@app.command(name="benchmark")
def benchmark_command(
    train: Annotated[Path, typer.Option(help="Lines `user item item ...`, plain or .gz.")],
    test: Annotated[
        Path | None, typer.Option(help="The same, of what is to be found; else a fifth of each user's of --train.")
    ] = None,
    dim: Annotated[int, typer.Option(min=1, help="Width of the embedding space.")] = 64,
    seeds: Annotated[int, typer.Option(min=1, help="Models, from seed 0.")] = 3,
) -> None:
    """Judge the towers, and the towers fused with a linear model, on a fixed split; prints one JSON object."""
    from models.protocols.fixed_split import report  # noqa: PLC0415

    typer.echo(json.dumps(report(train, test, dim, seeds)))


@app.command(name="next_day")
def next_day_command(
    log: Annotated[Path, typer.Option(help="Folder of KuaiRand's official files.")],
    days: Annotated[str, typer.Option(help="Days to foresee, as 2022-04-29,2022-04-30.")],
    seeds: Annotated[int, typer.Option(min=1, help="Models, from seed 0.")] = 3,
) -> None:
    """Judge the model and its baselines on the next day of a real log; prints one JSON object."""
    from models.protocols.next_day import report  # noqa: PLC0415

    typer.echo(json.dumps(report(log, [_day(text) for text in days.split(",")], seeds)))


@app.command(name="live")
def live_command() -> None:
    """Judge the model on who is visited next among the live, on the last day of the log; prints one JSON object."""
    from contracts.snapshots import Warehouse  # noqa: PLC0415
    from contracts.tables import WATCH_EVENT  # noqa: PLC0415
    from models.protocols.live import SETTINGS, report  # noqa: PLC0415
    from models.protocols.live_log import read_live_log  # noqa: PLC0415

    settings = load_settings()
    warehouse = Warehouse(settings.warehouse_path)
    log = read_live_log(warehouse, warehouse.dates(WATCH_EVENT), settings.platform.time_zone)
    typer.echo(json.dumps(report(log, SETTINGS)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no day as 2022-04-29") from error


def main() -> None:
    """Run a command; a named error is one line on stderr and its exit code."""
    # Read when torch is imported: beside other busy processes, threads that spin as they wait take more than they give.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # MLflow would call its maker and leave an installation id in the home folder.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    run(app)


if __name__ == "__main__":
    main()
