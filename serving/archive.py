"""Posterior epochs beside the slates that were drawn from them: Redis lets a followed epoch go after a few days."""

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from bandit.linear import LinearEpoch
from bandit.policies.registry import Policy
from bandit.posteriors import PosteriorEpoch
from contracts import columns as c
from contracts.settings import BanditSettings
from contracts.snapshots import Warehouse
from contracts.tables import POSTERIOR_EPOCH
from serving.epochs import epoch_of, stored_context
from serving.impressions import Row
from serving.stores.protocol import BanditStore


@dataclass(frozen=True)
class EpochArchive:
    """The epochs of one day, and those that are looked up.

    Args:
        packed: By surface, segment of the state and number.
    """

    store: BanditStore
    settings: BanditSettings
    packed: dict[tuple[str, str, int], bytes]

    @classmethod
    def of_day(cls, warehouse: Warehouse, store: BanditStore, settings: BanditSettings, day: date) -> "EpochArchive":
        """What a drain of the day has kept."""
        snapshot = warehouse.current(POSTERIOR_EPOCH, day)
        rows = warehouse.read_snapshot(POSTERIOR_EPOCH, snapshot).to_pylist() if snapshot is not None else []
        keys = (c.SURFACE, c.SEGMENT, c.POSTERIOR_EPOCH)
        return cls(store, settings, {(row[keys[0]], row[keys[1]], row[keys[2]]): row[c.PACKED] for row in rows})

    def epoch(self, policy: Policy, row: Row) -> PosteriorEpoch | LinearEpoch | None:
        """What an impression was drawn from, archived or else in the store; None where it is in neither.

        Raises:
            PayloadError: the state is corrupt or of another version.
        """
        context, number = (row[c.SURFACE], row[c.SEGMENT]), row[c.POSTERIOR_EPOCH]
        key = (*stored_context(policy, *context), number)
        if key not in self.packed:
            found = epoch_of(self.store, self.settings, policy, context, number)
            if found is None:
                return None
            self.packed[key] = found.to_bytes()
        state: PosteriorEpoch | LinearEpoch = policy.read(self.packed[key])
        return state

    def write(self, warehouse: Warehouse, day: date, now: datetime) -> None:
        """Keep what was looked up beside what was kept."""
        rows = [
            {c.SURFACE: surface, c.SEGMENT: segment, c.POSTERIOR_EPOCH: number, c.PACKED: self.packed[key]}
            for key in sorted(self.packed)
            for surface, segment, number in [key]
        ]
        warehouse.write(POSTERIOR_EPOCH, day, pa.Table.from_pylist(rows, POSTERIOR_EPOCH.schema), [], now)
