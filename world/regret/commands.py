"""`python -m world regret` and `python -m world tune_bandit`."""

from typing import Annotated

import typer

from contracts.settings import load_settings
from world.regret.platforms import REPORTED, TUNING
from world.regret.report import POLICIES, cases, measure, report
from world.regret.tuning import tune

_FIRST_REPORTED_SEED = 1_001


def regret(
    worlds: Annotated[int, typer.Option(min=1, help="Worlds of each of the two platforms.")] = 15,
) -> None:
    """Print what each policy loses to an oracle, in percent of its successes and in successes."""
    for row in report(measure(cases(REPORTED, reported_seeds(worlds)), POLICIES, load_settings().bandit)):
        mean, low, high = row["regret_percent"]
        lost = row["cumulative_regret"][0]
        names = f"{row['surface']:18} {row['platform']:11} {row['policy']:16}"
        typer.echo(f"{names} {mean:6.2f} % [{low:.2f}, {high:.2f}]  {lost:9.1f} successes")


def tune_bandit(
    worlds: Annotated[int, typer.Option(min=1, help="Worlds of each of the two platforms.")] = 4,
) -> None:
    """Search the bandit's settings on platforms of which nothing is reported, and print each trial and the best."""
    best = load_settings().bandit
    for trials, best in tune(cases(TUNING, range(1, worlds + 1)), best):  # noqa: B007, B020  the last is printed
        for trial in trials:
            typer.echo(
                f"{trial.policy:16} {trial.setting:18} {trial.value:8g} {trial.regret_percent:8.3f} %"
                f"{'  best' if trial.is_best else ''}"
            )
    typer.echo(str(best))


def reported_seeds(worlds: int) -> range:
    """Seeds of worlds that are reported; none of them is tuned on."""
    return range(_FIRST_REPORTED_SEED, _FIRST_REPORTED_SEED + worlds)
