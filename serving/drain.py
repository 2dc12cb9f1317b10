"""The impression stream becomes the day's partition, propensities included; a logged slate is proven."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from bandit.policies.registry import POLICIES, Chances
from contracts import columns as c
from contracts.clock import day_bounds
from contracts.erasure import erased_users
from contracts.errors import SlateMismatchError, SlateNotFoundError
from contracts.names import STREAM_IMPRESSIONS
from contracts.settings import Settings
from contracts.snapshots import Warehouse
from contracts.tables import IMPRESSION
from serving.archive import EpochArchive
from serving.drained import Drained
from serving.impressions import Row, arm_set_from_json, chosen_arm
from serving.learning.slates import slate_rows
from serving.stores.protocol import BanditStore, Store


@dataclass(frozen=True)
class DrainReport:
    """What a drain wrote.

    Args:
        without_propensity: Rows drawn from an epoch that has expired.
        unreadable: Entries of the whole stream that are no slate.
        stream_begins: Time of the stream's oldest entry: what the day had before may have been trimmed undrained.
    """

    day: str
    slates: int
    rows: int
    new_rows: int
    without_propensity: int
    unreadable: int
    stream_begins: str | None


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
    log = Drained(store, STREAM_IMPRESSIONS)
    for rows in log.read(slate_rows):
        first = rows[0]
        if start <= first[c.SERVED_AT] < end and first[c.REQUEST_ID] not in slates and first[c.USER_ID] not in erased:
            slates[first[c.REQUEST_ID]] = rows
    archive = EpochArchive.of_day(warehouse, store, settings.bandit, day)
    _add_propensities(list(slates.values()), archive, settings.bandit.propensity_draws)
    archive.write(warehouse, day, now)
    rows = sorted(
        (row for slate in slates.values() for row in slate), key=lambda row: (row[c.REQUEST_ID], row[c.POSITION])
    )
    warehouse.write(IMPRESSION, day, pa.Table.from_pylist(rows, IMPRESSION.schema), [], now)
    missing = sum(row[c.PROPENSITY] is None for row in rows)
    log.trim(settings)
    return DrainReport(day.isoformat(), len(slates), len(rows), len(rows) - known, missing, log.unreadable, log.begins)


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
    policy = POLICIES.get(rows[0][c.POLICY_ID])
    if policy is None:
        known = ", ".join(POLICIES)
        raise SlateMismatchError(f"request {request_id} was served by {rows[0][c.POLICY_ID]}; this version has {known}")
    posterior = EpochArchive.of_day(warehouse, store, settings.bandit, day).epoch(policy, rows[0])
    if posterior is None:
        raise SlateNotFoundError(f"epoch {rows[0][c.POSTERIOR_EPOCH]} of request {request_id} has expired")
    arm_set = arm_set_from_json(rows[0][c.ARM_SET])
    drawn = tuple(arm_set.arms[arm] for arm in policy.select(posterior, arm_set, len(rows), rows[0][c.SEED]))
    served = tuple(arm_set.arms[chosen_arm(arm_set, row)] for row in rows)
    if drawn != served:
        raise SlateMismatchError(f"request {request_id} was served {served}, but its log gives {drawn}")
    return drawn


def _add_propensities(slates: list[list[Row]], archive: EpochArchive, draws: int) -> None:
    """Fill the propensities that are missing; slates of one policy and epoch share what they need.

    Those of a policy that this version does not have stay empty.
    """
    by_epoch: dict[tuple[str, str, str, int], list[list[Row]]] = defaultdict(list)
    for rows in slates:
        first = rows[0]
        if first[c.PROPENSITY] is None and first[c.POLICY_ID] in POLICIES:
            by_epoch[first[c.POLICY_ID], first[c.SURFACE], first[c.SEGMENT], first[c.POSTERIOR_EPOCH]].append(rows)
    for (policy_id, *_), group in by_epoch.items():
        policy = POLICIES[policy_id]
        posterior = archive.epoch(policy, group[0][0])
        if posterior is not None:
            _add_from(policy.propensities(posterior, draws), group)


def _add_from(chances: Chances, slates: list[list[Row]]) -> None:
    for rows in slates:
        arm_set = arm_set_from_json(rows[0][c.ARM_SET])
        ordered = sorted(rows, key=lambda row: row[c.POSITION])
        slate = [chosen_arm(arm_set, row) for row in ordered]
        for row, chance in zip(ordered, chances(arm_set, slate), strict=True):
            row[c.PROPENSITY] = float(chance)
