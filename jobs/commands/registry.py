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
    live_candidates,
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
from jobs.tables import Tables


@dataclass(frozen=True)
class Job:
    """One command that writes partitions of one table.

    Args:
        run: Writes the partitions of consecutive days, with one Spark job where it can.
        in_backfill: False for what only the day that is published needs.
    """

    name: str
    run: Callable[[Tables, Sequence[date], Settings], list[Snapshot]]
    reads: tuple[Table, ...]
    writes: Table
    in_backfill: bool = True

    @property
    def help(self) -> str:
        return f"Write {self.writes.name} of one day: {self.writes.doc[0].lower()}{self.writes.doc[1:]}"


_LISTS: Final = (
    t.VIEW_VALUE,
    t.USER_FEATURE,
    t.PREFERRED_STREAMER,
    t.REPRESENTATIVE_VOD,
    t.POPULAR_ITEM,
    t.RETRIEVED_CANDIDATE,
    t.LIVE_CANDIDATE,
    t.USER_ACTION,
    t.EARLIER_VIEW,
    t.CONTENT,
)

JOBS: Final = (
    Job("view_valuation", view_valuation.run, (t.WATCH_EVENT, t.CONTENT), t.VIEW_VALUE),
    Job(
        "preferred_streamers",
        preferred_streamers.run,
        (t.VIEW_VALUE, t.PREFERENCE_STATE, t.PREFERRED_STREAMER),
        t.PREFERRED_STREAMER,
    ),
    Job("content_values", content_values.run, (t.VIEW_VALUE,), t.CONTENT_VALUE),
    Job("popular_items", popular_items.run, (t.VIEW_VALUE, t.CONTENT), t.POPULAR_ITEM),
    Job("streamer_features", streamer_features.run, (t.VIEW_VALUE,), t.STREAMER_FEATURE),
    Job("training_examples", training_examples.run, (t.VIEW_VALUE, t.USER_ACTION), t.TRAINING_EXAMPLE),
    Job("user_features", user_features.run, (t.VIEW_VALUE, t.PREFERRED_STREAMER, t.EARLIER_VIEW), t.USER_FEATURE),
    Job("related_streamers", related_streamers.run, (t.PREFERRED_STREAMER,), t.RELATED_STREAMER, in_backfill=False),
    Job(
        "streamer_orientation",
        streamer_orientation.run,
        (t.VIEW_VALUE, t.STREAMER),
        t.STREAMER_ORIENTATION,
        in_backfill=False,
    ),
    Job(
        "live_candidates",
        live_candidates.run,
        (t.VIEW_VALUE, t.PREFERRED_STREAMER, t.RELATED_STREAMER, t.STREAMER_ORIENTATION),
        t.LIVE_CANDIDATE,
        in_backfill=False,
    ),
    Job("representative_vods", representative_vods.run, (t.CONTENT_VALUE, t.CONTENT), t.REPRESENTATIVE_VOD),
    Job(candidate_lists.NAME, candidate_lists.run, _LISTS, t.CANDIDATE_LIST, in_backfill=False),
    Job(
        "segment_lists",
        segment_lists.run,
        (t.VIEW_VALUE, t.USER_FEATURE, t.CONTENT),
        t.SEGMENT_LIST,
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
