"""`python -m world COMMAND`: makes a platform's log from a config file."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.command_line import run
from world.config import read_config
from world.regret.commands import regret, tune_bandit
from world.world import World
from world.writer import Written

app = typer.Typer(add_completion=False, no_args_is_help=True, help="A synthetic streaming platform with known truth.")
app.command(name="regret")(regret)
app.command(name="tune_bandit")(tune_bandit)


@app.callback()
def _commands() -> None:
    """A synthetic streaming platform with known truth."""


@app.command(name="generate")
def generate(
    config: Annotated[Path, typer.Option(help="The world's TOML file.")],
    out: Annotated[Path, typer.Option(help="Folder of the log; made when it is not there.")],
) -> None:
    """Write the log in the canonical layout, and print the rows per table and day."""
    for line in _by_table(World.from_config(read_config(config)).generate(out)):
        typer.echo(line)


def _by_table(written: list[Written]) -> list[str]:
    names = sorted({part.table for part in written if part.dt})
    days = sorted({part.dt for part in written if part.dt})
    rows = {(part.table, part.dt): part.rows for part in written}
    width = max(map(len, [*days, *names]))
    header = " ".join(name.rjust(width) for name in ["day", *names])
    return [
        header,
        *(" ".join(str(cell).rjust(width) for cell in [day, *(rows[name, day] for name in names)]) for day in days),
    ]


def main() -> None:
    """Run a command; a named error is one line on stderr and its exit code."""
    run(app)


if __name__ == "__main__":
    main()
