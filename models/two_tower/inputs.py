"""Reads what training and retrieval need: partitions from the warehouse, features from Feast."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import columns as c
from contracts.clock import available_at, trailing_days
from contracts.errors import EmptyCatalogueError, FeatureStoreMissingError, NoExamplesError
from contracts.feast_engine import offline_engine, skip_type_instrumentation
from contracts.names import FEAST_EVENT_TIMESTAMP, SERVICE_TRAINING, VIEW_USER, ContentKind, feature_name
from contracts.settings import Settings, TwoTowerSettings
from contracts.snapshots import Snapshot, Warehouse
from contracts.tables import (
    BROADCAST,
    CONTENT,
    EARLIER_VIEW,
    STREAMER,
    TRAINING_EXAMPLE,
    USER_FEATURE,
)
from models.two_tower.catalogue import Catalogue, build_catalogue, microseconds
from models.two_tower.features import LIST_FEATURES, NUMERIC_FEATURES

USER_FEATURES = (c.SEGMENT, *NUMERIC_FEATURES, *LIST_FEATURES)
FeatureReader = Callable[[pa.Table], pa.Table]
"""From (user_id, streamer_id, content_id, event_time) rows to `USER_FEATURES`, row by row, null where there is none."""


@dataclass(frozen=True)
class TrainingInputs:
    """Everything a training run reads, as Arrow, and where it came from.

    Args:
        positives: Rows of `training_example_v1` that count; `weight` already holds what the labels make of it.
        features: `USER_FEATURES`, a row each.
        feature_row: Row of `features` of each positive, int64.
        earlier: Rows of `earlier_view_v1`, or None.
        catalogue: Everything that can be a target.
        broadcasts: Rows of `broadcast_v1` of the days, each broadcast as its last day has it.
        skipped: user_id, content_id, event_time of contents that were shown and not watched; None where the settings
            make no use of them.
        has_live: Whether anybody broadcasts here: only then are streamers recommended.
        snapshots: Every partition read.
    """

    positives: pa.Table
    features: pa.Table
    feature_row: np.ndarray
    earlier: pa.Table | None
    catalogue: Catalogue
    broadcasts: pa.Table
    skipped: pa.Table | None
    has_live: bool
    snapshots: tuple[Snapshot, ...]


def read_training_inputs(settings: Settings, day: date, read_features: FeatureReader) -> TrainingInputs:
    """Read the trailing window that ends with `day`.

    Raises:
        NoExamplesError: there are no training examples, or none of them is a positive.
        EmptyCatalogueError: no content table on or before `day`, or an empty one.
    """
    warehouse = Warehouse(settings.warehouse_path)
    found = [warehouse.current(TRAINING_EXAMPLE, each) for each in trailing_days(day, settings.two_tower.train_days)]
    snapshots = [snapshot for snapshot in found if snapshot is not None]
    if sum(snapshot.rows for snapshot in snapshots) == 0:
        raise NoExamplesError(
            f"no training examples in the {settings.two_tower.train_days} days up to {day}; "
            f"run first: {TRAINING_EXAMPLE.owner} --date {day}"
        )
    examples = pa.concat_tables([warehouse.read_snapshot(TRAINING_EXAMPLE, snapshot) for snapshot in snapshots])
    positives = _positives(examples, settings.two_tower)
    earlier = warehouse.latest(EARLIER_VIEW, day)
    catalogue, catalogue_snapshots = read_catalogue(warehouse, day, seen=positives)
    moments = _moments(settings, warehouse.dates(USER_FEATURE))
    entities, feature_row = _distinct_moments(positives, moments)
    feature_snapshots = [warehouse.require(USER_FEATURE, each) for each in warehouse.dates(USER_FEATURE) if each < day]
    broadcasts, broadcast_snapshots = _broadcasts(warehouse, trailing_days(day, settings.two_tower.train_days))
    used = [*snapshots, *broadcast_snapshots, *catalogue_snapshots, *feature_snapshots, *([earlier] if earlier else [])]
    return TrainingInputs(
        positives=positives,
        features=read_features(entities),
        feature_row=feature_row,
        earlier=warehouse.read_snapshot(EARLIER_VIEW, earlier) if earlier else None,
        catalogue=catalogue,
        broadcasts=broadcasts,
        skipped=_skipped(examples) if settings.two_tower.hard_negative_weight > 0 else None,
        has_live=_has_live(warehouse, examples, day),
        snapshots=tuple(used),
    )


def _positives(examples: pa.Table, settings: TwoTowerSettings) -> pa.Table:
    """Examples whose labels count, with the labels' weights added up and times the example's own, by time."""
    worth = {
        c.LABEL_VALUED: settings.valued_weight,
        c.LABEL_CLICK: settings.click_weight,
        c.LABEL_LIKE: settings.like_weight,
        c.LABEL_FOLLOW: settings.follow_weight,
    }
    weight = np.zeros(len(examples))
    for label, value in worth.items():
        weight += value * examples[label].to_numpy()
    weight *= examples[c.WEIGHT].to_numpy()
    if not (weight > 0).any():
        raise NoExamplesError(
            f"none of the {len(examples)} training examples is a valued watch, a click, a like or a follow that weighs "
            "anything; look at the valuation's threshold and at two_tower.*_weight"
        )
    place = examples.column_names.index(c.WEIGHT)
    weighed = examples.set_column(place, c.WEIGHT, pa.array(weight)).filter(pa.array(weight > 0))
    return weighed.sort_by([(name, "ascending") for name in (c.EVENT_TIME, c.USER_ID, c.CONTENT_ID)])


def _skipped(examples: pa.Table) -> pa.Table:
    """What was shown and brought no label at all; not who was live then, who may come back tomorrow."""
    is_positive = pc.equal(examples[c.CONTENT_KIND], ContentKind.LIVE)
    for label in (c.LABEL_CLICK, c.LABEL_VALUED, c.LABEL_LIKE, c.LABEL_FOLLOW):
        is_positive = pc.or_(is_positive, examples[label])
    return examples.filter(pc.invert(is_positive)).select([c.USER_ID, c.CONTENT_ID, c.EVENT_TIME])


def read_catalogue(warehouse: Warehouse, day: date, seen: pa.Table | None) -> tuple[Catalogue, list[Snapshot]]:
    """Contents and streamers as known on `day`, and the partitions that say so."""
    contents, streamers = warehouse.latest(CONTENT, day), warehouse.latest(STREAMER, day)
    if contents is None and streamers is None:
        raise EmptyCatalogueError(f"no {CONTENT.name} or {STREAMER.name} on or before {day}; run {CONTENT.owner}")
    rows = warehouse.read_snapshot(CONTENT, contents) if contents else CONTENT.schema.empty_table()
    streamer_rows = warehouse.read_snapshot(STREAMER, streamers) if streamers else None
    catalogue = build_catalogue(rows, streamer_rows, seen)
    if len(catalogue) == 0:
        raise EmptyCatalogueError(f"{CONTENT.name} and {STREAMER.name} are empty on {day}; run {CONTENT.owner}")
    return catalogue, [snapshot for snapshot in (contents, streamers) if snapshot is not None]


def _broadcasts(warehouse: Warehouse, days: Iterable[date]) -> tuple[pa.Table, list[Snapshot]]:
    """One row per broadcast: one over midnight is in both days, and only the second may know its end."""
    found = [warehouse.current(BROADCAST, each) for each in days]
    snapshots = [snapshot for snapshot in found if snapshot is not None]
    names = [c.BROADCAST_ID, c.STREAMER_ID, c.STARTED_AT, c.ENDED_AT]
    parts = [warehouse.read_snapshot(BROADCAST, snapshot, names) for snapshot in snapshots]
    rows = pa.concat_tables(parts) if parts else BROADCAST.schema.empty_table().select(names)
    newest_first = rows.take(pa.array(np.arange(len(rows))[::-1]))
    _, first = np.unique(newest_first[c.BROADCAST_ID].to_numpy(), return_index=True)
    return newest_first.take(pa.array(first)), snapshots


def _has_live(warehouse: Warehouse, examples: pa.Table, day: date) -> bool:
    broadcasts = warehouse.latest(BROADCAST, day)
    watched = pc.any(pc.equal(examples[c.CONTENT_KIND], ContentKind.LIVE)).as_py()
    return bool(watched) or (broadcasts is not None and broadcasts.rows > 0)


def has_broadcasts(warehouse: Warehouse, day: date) -> bool:
    """Whether anybody has broadcast on or before `day`, so far as the tables know."""
    return _has_live(warehouse, TRAINING_EXAMPLE.schema.empty_table(), day)


def _moments(settings: Settings, days: list[date]) -> np.ndarray:
    """When features change: the instants at which a day's rows become available, in microseconds."""
    platform = settings.platform
    times = [available_at(day, platform.time_zone, platform.publish_delay_minutes) for day in days]
    return np.array([int(time.timestamp() * 1_000_000) for time in times], dtype=np.int64)


def _distinct_moments(positives: pa.Table, moments: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """One entity row per user and spell between two publications, and which one each positive uses.

    A user's features do not change within a spell, so the join is exact; it has a tenth of the rows.
    """
    spell = np.searchsorted(moments, microseconds(positives[c.EVENT_TIME]), side="right")
    key = np.stack([positives[c.USER_ID].to_numpy(), spell], axis=1)
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    names = [c.USER_ID, c.STREAMER_ID, c.CONTENT_ID, c.EVENT_TIME]
    return positives.select(names).take(pa.array(first)), inverse.reshape(-1)


@dataclass(frozen=True)
class FeastReader:
    """Joins features point in time from the feature store, by names only."""

    settings: Settings

    def __call__(self, entities: pa.Table) -> pa.Table:
        """Raises FeatureStoreMissingError when the definitions were never applied."""
        path = self.settings.feast_config_path
        if not path.is_file():
            raise FeatureStoreMissingError(f"no feature store at {path}; run first: python -m feature_repo apply")
        skip_type_instrumentation()
        from feast import FeatureStore  # noqa: PLC0415  takes seconds; reading from frames does not need it

        store = FeatureStore(fs_yaml_file=path)
        frame = entities.rename_columns([c.USER_ID, c.STREAMER_ID, c.CONTENT_ID, FEAST_EVENT_TIMESTAMP])
        frame = frame.append_column(c.POSITION, pa.array(np.arange(len(frame))))
        service = store.get_feature_service(SERVICE_TRAINING)
        with offline_engine(self.settings):
            job = store.get_historical_features(frame.to_pandas(), service, full_feature_names=True)
            joined = job.to_arrow().sort_by(c.POSITION)
        return joined.select([feature_name(VIEW_USER, name) for name in USER_FEATURES]).rename_columns(USER_FEATURES)


def read_user_features(warehouse: Warehouse, day: date) -> tuple[pa.Table, Snapshot]:
    """The day's features of every user, for retrieval."""
    snapshot = warehouse.require(USER_FEATURE, day)
    return warehouse.read_snapshot(USER_FEATURE, snapshot, [c.USER_ID, *USER_FEATURES]), snapshot
