"""The derived jobs, declared once: command line, backfill, DAG tests and the check for stale partitions share this.

The order is one in which they can run: a job stands after those whose tables it reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts import tables as t
from contracts.errors import SettingsError
from contracts.schema import Table
from contracts.settings import Settings
from contracts.snapshots import Snapshot
from jobs.commands import (
    candidate_lists,
    content_values,
    exploration_candidates,
    exploration_report,
    live_candidates,
    next_contents,
    popular_items,
    preferred_streamers,
    related_streamers,
    representative_vods,
    segment_lists,
    streamer_features,
    streamer_orientation,
    training_examples,
    user_features,
    view_valuation,
)
from jobs.needs import Need
from jobs.tables import Tables


@dataclass(frozen=True)
class Job:
    """One command that writes partitions of one table, and of others that come of the same work.

    Args:
        run: Writes the partitions of consecutive days, with one Spark job where it can.
        needs: What a day reads; `run` reads nothing else.
        in_backfill: False for what only the day that is published needs.
        hourly: Cheap enough, and of use, within the day.
    """

    name: str
    run: Callable[[Tables, Sequence[date], Settings], list[Snapshot]]
    needs: Callable[[Settings], tuple[Need, ...]]
    writes: Table
    also_writes: tuple[Table, ...] = ()
    in_backfill: bool = True
    hourly: bool = False

    @property
    def tables(self) -> tuple[Table, ...]:
        """All that it writes; a day's partitions have the same needs."""
        return (self.writes, *self.also_writes)

    def reads(self, settings: Settings) -> set[str]:
        """Names of the tables that it reads."""
        return {need.table.name for need in self.needs(settings)}

    @property
    def help(self) -> str:
        return f"Write {self.writes.name} of one day: {self.writes.doc[0].lower()}{self.writes.doc[1:]}"


JOBS: Final = (
    Job("view_valuation", view_valuation.run, view_valuation.needs, t.VIEW_VALUE, hourly=True),
    Job(
        "preferred_streamers",
        preferred_streamers.run,
        preferred_streamers.needs,
        t.PREFERRED_STREAMER,
        also_writes=(t.PREFERENCE_STATE,),
        hourly=True,
    ),
    Job("content_values", content_values.run, content_values.needs, t.CONTENT_VALUE, hourly=True),
    Job("popular_items", popular_items.run, popular_items.needs, t.POPULAR_ITEM, in_backfill=False, hourly=True),
    Job("streamer_features", streamer_features.run, streamer_features.needs, t.STREAMER_FEATURE),
    Job("training_examples", training_examples.run, training_examples.needs, t.TRAINING_EXAMPLE),
    Job("user_features", user_features.run, user_features.needs, t.USER_FEATURE),
    Job(
        "related_streamers",
        related_streamers.run,
        related_streamers.needs,
        t.RELATED_STREAMER,
        in_backfill=False,
        hourly=True,
    ),
    Job(
        "streamer_orientation",
        streamer_orientation.run,
        streamer_orientation.needs,
        t.STREAMER_ORIENTATION,
        in_backfill=False,
    ),
    Job("live_candidates", live_candidates.run, live_candidates.needs, t.LIVE_CANDIDATE, in_backfill=False),
    Job(
        "exploration_candidates",
        exploration_candidates.run,
        exploration_candidates.needs,
        t.EXPLORATION_CANDIDATE,
        in_backfill=False,
    ),
    Job(
        "representative_vods",
        representative_vods.run,
        representative_vods.needs,
        t.REPRESENTATIVE_VOD,
        in_backfill=False,
        hourly=True,
    ),
    Job("next_contents", next_contents.run, next_contents.needs, t.NEXT_CONTENT, in_backfill=False),
    Job(
        candidate_lists.NAME,
        candidate_lists.run,
        candidate_lists.needs,
        t.CANDIDATE_LIST,
        in_backfill=False,
        hourly=True,
    ),
    Job("segment_lists", segment_lists.run, segment_lists.needs, t.SEGMENT_LIST, in_backfill=False, hourly=True),
    Job(
        "exploration_report",
        exploration_report.run,
        exploration_report.needs,
        t.EXPLORATION_REPORT,
        in_backfill=False,
    ),
)


def jobs_named(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, in the order in which they can run.

    Raises:
        SettingsError: there is no such job.
    """
    known = {job.name for job in JOBS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingsError(f"no job {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [job for job in JOBS if job.name in names]
