"""`stale`: the partitions that a run of today would compute from other rows than they were computed from.

Manifests tell which snapshots each partition has read, and jobs declare what they would read today; no row is looked
at, so an input that was written again with equal rows counts as changed. One that is there no more makes nothing stale.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import typer

from contracts import tables as t
from contracts.settings import Settings, load_settings
from contracts.snapshots import Snapshot, Warehouse
from jobs.commands.registry import JOBS, Job
from jobs.needs import History, Need, OfDay, Window


class Partition(NamedTuple):
    """A partition by its table's name and its day."""

    table: str
    dt: date

    def __str__(self) -> str:
        return f"{self.table}/{self.dt}"


class StaleReason(StrEnum):
    """What is the matter with an input, the worst first."""

    CHANGED = "changed"
    NEW = "new"
    STALE = "stale"


_WORDS: Final = {
    StaleReason.CHANGED: "was written again",
    StaleReason.NEW: "was not read",
    StaleReason.STALE: "is stale itself",
}
_JOBS: Final = {table.name: job for job in JOBS for table in job.tables}


@dataclass(frozen=True)
class StalePartition:
    """A partition that should be computed again.

    Args:
        inputs: Those of its inputs that make it so, with the reason, the worst first.
    """

    partition: Partition
    inputs: tuple[tuple[Partition, StaleReason], ...]

    @property
    def job(self) -> Job | None:
        """The job that writes it; None where that is another room's or the import's."""
        return _JOBS.get(self.partition.table)

    @property
    def command(self) -> str:
        return f"{t.ALL_TABLES[self.partition.table].owner} --date {self.partition.dt}"

    def line(self) -> str:
        """As a person reads it."""
        (worst, reason), more = self.inputs[0], len(self.inputs) - 1
        others = f" and {more} more" if more else ""
        return f"{self.partition}: {worst} {_WORDS[reason]}{others}; {self.command}"

    def as_json(self) -> dict[str, object]:
        """As a program reads it."""
        inputs = [{"partition": str(partition), "reason": reason.value} for partition, reason in self.inputs]
        return {"partition": str(self.partition), "command": self.command, "inputs": inputs}


@dataclass
class Lineage:
    """What the partitions of a warehouse have read and would read; each manifest is looked at once."""

    warehouse: Warehouse
    settings: Settings
    _snapshots: dict[Partition, Snapshot | None] = field(default_factory=dict)
    _dates: dict[str, list[date]] = field(default_factory=dict)
    _found: dict[Partition, StalePartition | None] = field(default_factory=dict)

    def stale(self) -> list[StalePartition]:
        """All stale partitions, each after those that make it stale."""
        for table in t.ALL_TABLES:
            for dt in self._days(table):
                self._judge(Partition(table, dt))
        return [found for found in self._found.values() if found is not None]

    def missing(self, job: Job, dt: date) -> list[Partition]:
        """What the job cannot do without and nobody has written."""
        required = (need for need in job.needs(self.settings) if need.required)
        return [Partition(need.table.name, dt) for need in required if dt not in self._days(need.table.name)]

    def _judge(self, partition: Partition) -> StalePartition | None:
        if partition not in self._found:
            inputs = self._stale_inputs(partition)  # judges its inputs, so that they stand before it
            self._found[partition] = StalePartition(partition, inputs) if inputs else None
        return self._found[partition]

    def _stale_inputs(self, partition: Partition) -> tuple[tuple[Partition, StaleReason], ...]:
        own = self._snapshot(partition)
        if own is None or own.until is not None:  # of an hour: the next one or the day's own run replaces it
            return ()
        judged = ((read, self._reason(own, read)) for read in self._would_read(own))
        order = list(StaleReason)
        stale = [(read, reason) for read, reason in judged if reason is not None]
        return tuple(sorted(stale, key=lambda entry: (order.index(entry[1]), entry[0])))

    def _would_read(self, own: Snapshot) -> Iterator[Partition]:
        """What it has read, and what the job that writes it declares."""
        for reference in own.inputs:
            table, _, day = reference.partition("/")
            yield Partition(table, date.fromisoformat(day))
        job = _JOBS.get(own.table)
        for need in job.needs(self.settings) if job else ():
            for dt in need.partitions(self._days(need.table.name), date.fromisoformat(own.dt)):
                partition = Partition(need.table.name, dt)
                if str(partition) not in own.inputs:
                    yield partition

    def _reason(self, own: Snapshot, read: Partition) -> StaleReason | None:
        current = self._snapshot(read)
        if current is None:
            return None
        partition, identity = current.reference
        if partition not in own.inputs:
            return None if current.until else StaleReason.NEW
        if own.inputs[partition] not in {identity, *current.stands_for}:
            return StaleReason.CHANGED
        return StaleReason.STALE if self._judge(read) else None

    def _snapshot(self, partition: Partition) -> Snapshot | None:
        if partition not in self._snapshots:
            self._snapshots[partition] = self.warehouse.current(t.ALL_TABLES[partition.table], partition.dt)
        return self._snapshots[partition]

    def _days(self, table: str) -> list[date]:
        if table not in self._dates:
            self._dates[table] = self.warehouse.dates(t.ALL_TABLES[table])
        return self._dates[table]


def to_bring_on(lineage: Lineage, changed: Collection[Partition]) -> dict[str, list[Partition]]:
    """Commands that bring tables of the newest day to where no manifest is, Redis and MLflow, and what changes there.

    Whether they have run since cannot be known here.
    """
    settings = lineage.settings
    holders: dict[str, tuple[Need, ...]] = {
        "python -m feature_repo materialize": (
            OfDay(t.USER_FEATURE),
            OfDay(t.STREAMER_FEATURE),
            OfDay(t.CONTENT_VALUE),
        ),
        "python -m models train": (
            Window(t.TRAINING_EXAMPLE, window_days=settings.two_tower.train_days),
            History(t.USER_FEATURE),
        ),
        "python -m serving publish": tuple(
            OfDay(table)
            for table in (t.CANDIDATE_LIST, t.SEGMENT_LIST, t.REPRESENTATIVE_VOD, t.RELATED_STREAMER, t.NEXT_CONTENT)
        ),
        "python -m serving publish_channels": (OfDay(t.REPRESENTATIVE_VOD),),
        "python -m serving sync_seen": (
            Window(t.VIEW_VALUE, window_days=settings.candidates.seen_window_days),
            History(t.USER_ACTION),
        ),
    }
    commands = {}
    for command, needs in holders.items():
        days = lineage.warehouse.dates(needs[0].table)
        held = [entry for need in needs for entry in _held(lineage, need, days[-1:]) if entry in changed]
        if held:
            commands[f"{command} --date {days[-1]}"] = held
    return commands


def _held(lineage: Lineage, need: Need, days: Sequence[date]) -> list[Partition]:
    dates = lineage.warehouse.dates(need.table)
    return [Partition(need.table.name, dt) for day in days for dt in need.partitions(dates, day)]


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """List the partitions that a re-run or a late partition has made stale, each with its reason and its command."""
    settings = load_settings()
    lineage = Lineage(Warehouse(settings.warehouse_path), settings)
    stale = lineage.stale()
    then = to_bring_on(lineage, {found.partition for found in stale})
    if as_json:
        listed = {command: [str(partition) for partition in held] for command, held in then.items()}
        typer.echo(json.dumps({"stale": [found.as_json() for found in stale], "then": listed}))
        return
    for found in stale:
        typer.echo(found.line())
    for command, held in then.items():
        typer.echo(f"then {command}: it holds {held[0]}")
    typer.echo(f"{len(stale)} stale partitions")
