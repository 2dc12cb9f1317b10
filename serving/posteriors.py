"""The next posterior epochs out of a day's judged impressions."""

from dataclasses import dataclass
from datetime import date, timedelta

from bandit.outcomes import Outcomes
from contracts.clock import day_bounds
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION, VIEW_VALUE
from evaluation.attribution import with_closed_window
from serving.epochs import update_context
from serving.outcomes import Judged, judge
from serving.stores.protocol import BanditStore


@dataclass(frozen=True)
class ContextUpdate:
    """What a day did to one context; `epoch` is unchanged where the watermark had passed the day's end already."""

    surface: str
    segment: str
    epoch: int
    successes: int
    failures: int
    was_applied: bool


def update_posteriors(warehouse: Warehouse, store: BanditStore, settings: Settings, day: date) -> list[ContextUpdate]:
    """Judge the impressions of `day` and make the next epoch of each context, once per day and context.

    A run that was killed is run again: contexts whose watermark is at the day's end already stay as they are. So days
    are applied in order: one before the watermark teaches nothing.

    Raises:
        MissingPartitionError: the day's impressions or views are not there yet.
        EpochConflictError: another update was faster; run it again.
    """
    judged = _judged(warehouse, settings, day)
    return [_apply(store, settings, day, part) for part in judged.by_context()]


def _judged(warehouse: Warehouse, settings: Settings, day: date) -> Judged:
    following = day + timedelta(days=1)
    views = [warehouse.read(VIEW_VALUE, day)]
    has_following = warehouse.current(VIEW_VALUE, following) is not None
    if has_following:
        views.append(warehouse.read(VIEW_VALUE, following))
    impressions = warehouse.read(IMPRESSION, day)
    window = timedelta(minutes=settings.bandit.attribution_minutes)
    if not has_following:
        impressions = with_closed_window(impressions, day_bounds(day, settings.platform.time_zone)[1], window)
    return judge(impressions, views, window)


def _apply(store: BanditStore, settings: Settings, day: date, part: Judged) -> ContextUpdate:
    through_ms = round(day_bounds(day, settings.platform.time_zone)[1].timestamp() * 1_000)
    outcomes = Outcomes(part.arms.tolist(), part.is_success, part.times, part.parents.tolist())
    change = update_context(store, settings.bandit, part.context, outcomes, through_ms)
    wins = int(part.is_success.sum())
    return ContextUpdate(*part.context, change.epoch.epoch, wins, len(part.times) - wins, not change.is_new)
