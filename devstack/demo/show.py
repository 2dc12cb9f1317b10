"""What a demo shows at its end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from contracts.names import Surface
from contracts.settings import Settings
from devstack.demo.people import Person
from devstack.demo.plan import DemoDays
from devstack.demo.systems import systems

_METRICS: Final = ("ndcg_at_20", "recall_at_20", "hit_rate_at_20")


@dataclass(frozen=True)
class Slate:
    """A slate as `serving` printed it."""

    person: Person
    surface: Surface
    table: str


def closing(console: Console, settings: Settings, days: DemoDays, slates: list[Slate], metrics: dict[str, Any]) -> None:
    """Slates, verdict, what each system wrote, and where everything is."""
    for slate in slates:
        console.print(f"\n{slate.surface.value} for user {slate.person.user_id} ({slate.person.segment})", style="bold")
        console.print(slate.table.rstrip(), markup=False, highlight=False, soft_wrap=True)
    for surface, judged in metrics["surfaces"].items():
        console.print(verdict_table(surface, judged, days))
    console.print(f"\nwhat each system wrote for {days.pipeline}", style="bold")
    for line in systems(settings, days.pipeline):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in where(settings, days, slates[0]):
        console.print(line, highlight=False, soft_wrap=True)


def verdict_table(surface: str, judged: dict[str, Any], days: DemoDays) -> Table:
    """The lists of a surface, judged by what people watched the day after for the first time."""
    scores = judged["new"]["all"]
    title = f"{surface}: lists of {days.pipeline}, judged by {scores['users']} users on {days.judge} (95 % interval)"
    table = Table(title=title, title_justify="left")
    for heading in ("list", *_METRICS):
        table.add_column(heading, justify="left" if heading == "list" else "right")
    for name, values in scores["lists"].items():
        table.add_row(name, *(_cell(values[metric]) for metric in _METRICS))
    return table


def _cell(interval: dict[str, float]) -> str:
    return f"{interval['mean']:.4f} ({interval['low']:.4f}-{interval['high']:.4f})"


def where(settings: Settings, days: DemoDays, shown: Slate) -> list[str]:
    """Where the databases are and what to try next."""
    home = settings.home
    home = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    return [
        "",
        f"tables        {home}/warehouse/<table>/dt=*/current/*.parquet (any Parquet reader; Hive metastore beside it)",
        f"metrics       {home}/metrics.json, all days in {home}/simulation.db (SQLite)",
        f"redis         {home}/redis (saved), features in {home}/feast, Airflow in {home}/airflow",
        f"models        {home}/mlflow; see them: . {home}/settings.env; .venv/bin/python -m devstack mlflow",
        "",
        "try next: make edge                              a page at http://127.0.0.1:8080/, and the API",
        "and, each after `. " + f"{home}/settings.env`:",
        "  .venv/bin/python -m devstack redis &",
        f"  .venv/bin/python -m serving recommend --user {shown.person.user_id} --surface {shown.surface.value}",
        f"  .venv/bin/python -m serving recommend --user {shown.person.user_id} --surface watch_next --context CONTENT",
        "  .venv/bin/python -m serving rollback",
        f"  .venv/bin/python -m jobs next_day_metrics --date {days.pipeline}",
        "  make airflow                                     the DAGs in Airflow's web UI, on the same tables",
        "  make demo LOG=DIR FORMAT=kuairand                the same on your own log: docs/your_log.md",
    ]
