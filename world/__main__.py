"""`python -m world COMMAND`: makes a platform's log from a config file."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from contracts.clock import day_bounds
from contracts.command_line import run
from contracts.errors import InvalidRequestError
from world.config import read_config
from world.live_events import Pulse, live_events, paced
from world.regret.commands import regret, tune_bandit
from world.streams import Streams
from world.visits import Scene
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


@app.command(name="live_events")
def live_events_command(
    config: Annotated[Path, typer.Option(help="The world's TOML file.")],
    day: Annotated[str, typer.Option("--date", help="The day, YYYY-MM-DD.")],
    hours: Annotated[float, typer.Option(help="How long, from `--from-hour` on.")] = 24.0,
    from_hour: Annotated[float, typer.Option(help="Hours into the day.")] = 0.0,
    speed: Annotated[float, typer.Option(help="Times as fast as real time; 0 does not wait.")] = 1.0,
    crash_share: Annotated[float, typer.Option(help="Broadcasts that fall silent without an end event.")] = 0.0,
) -> None:
    """Print the live schedule as events, one JSON object per line, for `python -m serving send_events`."""
    scene, streams = _scene(config)
    begin = day_bounds(_day(day, scene), scene.config.time_zone)[0].timestamp() + 3_600 * from_hour
    events = live_events(scene, begin, begin + 3_600 * hours, Pulse(crash_share=crash_share), streams)
    for timed in paced(events, begin, speed) if speed > 0 else events:
        sys.stdout.write(f"{timed.event.to_json().decode()}\n")
        sys.stdout.flush()


def _scene(config: Path) -> tuple[Scene, Streams]:
    settings = read_config(config)
    return World.from_config(settings).first.scene, Streams(settings.seed)


def _day(text: str, scene: Scene) -> date:
    config = scene.config
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(f"--date {text} is not a day like 2026-01-31") from error
    if not config.first_schedule_day <= day <= config.last_day:
        raise InvalidRequestError(
            f"--date {text} is not a day of this world; it lives from {config.first_schedule_day} to {config.last_day}"
        )
    return day


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
