"""The impression stream becomes the day's partition, propensities included; a logged slate is proven."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bandit.posteriors import PosteriorEpoch
from bandit.thompson import POLICY_ID, Arms, ArmSet, Propensities, select
from contracts import columns as c
from contracts.clock import day_bounds
from contracts.erasure import erased_users
from contracts.errors import SlateMismatchError, SlateNotFoundError
from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION
from serving.epochs import epoch_of
from serving.impressions import Row, arm_set_from_json, to_rows
from serving.stores.protocol import BanditStore, Store, StreamStore

_ENTRIES_AT_ONCE = 1_000


@dataclass(frozen=True)
class DrainReport:
    """What a drain wrote; `without_propensity` rows were drawn from an epoch that has expired."""

    day: str
    slates: int
    rows: int
    new_rows: int
    without_propensity: int


def drain_impressions(warehouse: Warehouse, store: Store, settings: Settings, day: date, now: datetime) -> DrainReport:
    """Write the day's partition whole: what it has, and the stream's slates served on that day.

    The stream is only read, and the partition flips at once: killed at any moment, a second run gives what the first
    would have given. Of a request that was served twice the first slate holds.
    """
    snapshot, erased = warehouse.current(IMPRESSION, day), erased_users(warehouse)
    slates: dict[str, list[Row]] = defaultdict(list)
    if snapshot is not None:
        for row in warehouse.read_snapshot(IMPRESSION, snapshot).to_pylist():
            if row[c.USER_ID] not in erased:
                slates[row[c.REQUEST_ID]].append(row)
    known = sum(map(len, slates.values()))
    start, end = day_bounds(day, settings.platform.time_zone)
    for rows in _stream(store):
        first = rows[0]
        if start <= first[c.SERVED_AT] < end and first[c.REQUEST_ID] not in slates and first[c.USER_ID] not in erased:
            slates[first[c.REQUEST_ID]] = rows
    _add_propensities(list(slates.values()), store, settings)
    rows = sorted(
        (row for slate in slates.values() for row in slate), key=lambda row: (row[c.REQUEST_ID], row[c.POSITION])
    )
    warehouse.write(IMPRESSION, day, pa.Table.from_pylist(rows, IMPRESSION.schema), [], now)
    missing = sum(row[c.PROPENSITY] is None for row in rows)
    return DrainReport(day.isoformat(), len(slates), len(rows), len(rows) - known, missing)


def recompute(
    warehouse: Warehouse, store: BanditStore, settings: Settings, day: date, request_id: str
) -> tuple[str, ...]:
    """The arms of a logged slate, drawn again from its epoch, seed and arm set.

    Raises:
        SlateNotFoundError: it is not in the day's partition, or its epoch has expired.
        SlateMismatchError: the log says otherwise.
    """
    logged = warehouse.read(IMPRESSION, day)
    rows = logged.filter(pc.equal(logged.column(c.REQUEST_ID), request_id)).sort_by(c.POSITION).to_pylist()
    if not rows:
        raise SlateNotFoundError(f"request {request_id} has no impression on {day}; has the day been drained?")
    if rows[0][c.POLICY_ID] != POLICY_ID:
        raise SlateMismatchError(f"request {request_id} was served by {rows[0][c.POLICY_ID]}, not by {POLICY_ID}")
    posterior = _epoch(store, settings, rows[0])
    if posterior is None:
        raise SlateNotFoundError(f"epoch {rows[0][c.POSTERIOR_EPOCH]} of request {request_id} has expired")
    arm_set = arm_set_from_json(rows[0][c.ARM_SET])
    drawn = tuple(arm_set.arms[arm] for arm in select(posterior, arm_set, len(rows), rows[0][c.SEED]))
    served = tuple(row[c.SOURCE] for row in rows)
    if drawn != served:
        raise SlateMismatchError(f"request {request_id} was served {served}, but its log gives {drawn}")
    return drawn


def _stream(store: StreamStore) -> Iterator[list[Row]]:
    after = "0"
    while entries := store.read_stream(STREAM_IMPRESSIONS, after, _ENTRIES_AT_ONCE):
        for after, entry in entries:  # noqa: B007  the last id is where the next page begins
            yield to_rows(entry)


def _add_propensities(slates: list[list[Row]], store: BanditStore, settings: Settings) -> None:
    """Fill the propensities that are missing; slates of one epoch share their draws."""
    by_epoch: dict[tuple[str, str, int], list[list[Row]]] = defaultdict(list)
    for rows in slates:
        if rows[0][c.PROPENSITY] is None:
            by_epoch[rows[0][c.SURFACE], rows[0][c.SEGMENT], rows[0][c.POSTERIOR_EPOCH]].append(rows)
    for group in by_epoch.values():
        posterior = _epoch(store, settings, group[0][0])
        if posterior is not None:
            _add_from_epoch(posterior, group, settings.bandit.propensity_draws)


def _add_from_epoch(posterior: PosteriorEpoch, slates: list[list[Row]], draws: int) -> None:
    arms = sorted({row[c.SOURCE] for rows in slates for row in rows} | _all_arms(slates))
    chances = Propensities(posterior, arms, draws)
    for rows in slates:
        arm_set = arm_set_from_json(rows[0][c.ARM_SET])
        for row, chance in zip(rows, chances.of(arm_set, _slots(arm_set, rows)), strict=True):
            row[c.PROPENSITY] = float(chance)


def _all_arms(slates: list[list[Row]]) -> set[str]:
    return {arm for rows in slates for arm in arm_set_from_json(rows[0][c.ARM_SET]).arms}


def _slots(arm_set: ArmSet, rows: list[Row]) -> Arms:
    ordered = sorted(rows, key=lambda row: row[c.POSITION])
    return np.array([arm_set.arms.index(row[c.SOURCE]) for row in ordered], np.intp)


def _epoch(store: BanditStore, settings: Settings, row: Row) -> PosteriorEpoch | None:
    return epoch_of(store, settings.bandit, (row[c.SURFACE], row[c.SEGMENT]), row[c.POSTERIOR_EPOCH])
