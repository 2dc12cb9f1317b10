"""`python -m feature_repo COMMAND`."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from contracts.command_line import run
from contracts.settings import load_settings

app = typer.Typer(help="Feature store: definitions, the online copy of a day, one user's row.", no_args_is_help=True)

Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The platform's day.")]


@app.command(name="apply")
def apply_command() -> None:
    """Write <home>/feast/feature_store.yaml and register entities, views and services."""
    from feature_repo.store import apply_definitions  # noqa: PLC0415  Feast takes seconds to import; --help need not

    settings = load_settings()
    apply_definitions(settings)
    typer.echo(f"applied the feature definitions; open {settings.feast_config_path}")


@app.command(name="materialize")
def materialize_command(date: Day) -> None:
    """Load a day's features into the online store."""
    from feature_repo.store import materialize  # noqa: PLC0415

    rows = materialize(load_settings(), date.replace(tzinfo=UTC).date())
    typer.echo(f"loaded {rows} users' features of {date:%Y-%m-%d} into the online store")


@app.command(name="online")
def online_command(user: Annotated[int, typer.Option("--user", help="user_id")]) -> None:
    """Print one user's online features as JSON."""
    from feature_repo.store import online_row  # noqa: PLC0415

    typer.echo(json.dumps(online_row(load_settings(), user), indent=1))


def main() -> None:
    """Run a command; a named error is one line on stderr and its exit code."""
    run(app)


if __name__ == "__main__":
    # Feast imports torch wherever it is installed: a third of its start, for nothing that these commands do.
    sys.modules["torch"] = None  # type: ignore[assignment]
    main()
