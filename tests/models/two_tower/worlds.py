"""A planted little platform: users of two tastes, streamers and contents of two categories, no Spark anywhere."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from contracts import columns as c
from contracts.clock import available_at, trailing_days
from contracts.names import ContentKind, Segment, Visibility
from contracts.schema import Table
from contracts.settings import Settings, TwoTowerSettings
from contracts.snapshots import Warehouse
from contracts.tables import BROADCAST, CONTENT, EARLIER_VIEW, STREAMER, TRAINING_EXAMPLE, USER_FEATURE
from models.two_tower.inputs import USER_FEATURES

DAY = date(2026, 1, 10)
NOW = datetime(2026, 1, 11, 4, tzinfo=UTC)
CATEGORIES = ("chess", "racing")
SMALL = TwoTowerSettings(
    dim=16, batch_size=128, epochs=5, final_epochs=1, candidates=20, history_length=10, train_days=4, device="cpu"
)


def rows_of(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of a table; columns that a row does not name are null."""
    return pa.table(
        {column.name: pa.array([row.get(column.name) for row in rows], column.type) for column in table.columns}
    )


@dataclass(frozen=True)
class World:
    """Users `1..users`, streamers `1_001..`, contents `1..contents`; what is odd belongs to category 1."""

    home: Path
    users: int = 40
    streamers: int = 8
    contents: int = 40
    two_tower: TwoTowerSettings = SMALL

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, two_tower=self.two_tower)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path)

    def write(self, table: Table, day: date, rows: list[dict[str, Any]]) -> None:
        self.warehouse.write(table, day, rows_of(table, rows), [], NOW)

    def content(self, content_id: int, **changes: object) -> dict[str, Any]:
        return {
            c.CONTENT_ID: content_id,
            c.CONTENT_KIND: ContentKind.CLIP if content_id % 4 < 2 else ContentKind.VOD,
            c.STREAMER_ID: self.owner(content_id),
            c.CATEGORY: CATEGORIES[content_id % 2],
            c.DURATION_SECONDS: 60.0,
            c.PUBLISHED_AT: datetime(2026, 1, 1, tzinfo=UTC),
            c.VISIBILITY: Visibility.PUBLIC,
            **changes,
        }

    def owner(self, content_id: int) -> int:
        return 1_001 + content_id % self.streamers

    def write_catalogue(self, *more: dict[str, Any]) -> None:
        contents = [self.content(number) for number in range(1, self.contents + 1)]
        self.write(CONTENT, DAY, [*contents, *more])
        streamers = [
            {c.STREAMER_ID: 1_001 + number, c.CATEGORY: CATEGORIES[number % 2]} for number in range(self.streamers)
        ]
        self.write(STREAMER, DAY, streamers)

    def write_log(self, seed: int = 0) -> None:
        """Four days of examples in which users watch their own category, some of it live."""
        rng = np.random.default_rng(seed)
        for day in trailing_days(DAY, 4):
            start = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
            rows = []
            for user in range(1, self.users + 1):
                picks = rng.choice(np.arange(user % 2 or 2, self.contents + 1, 2), size=6, replace=False)
                rows += [self._watch(user, int(pick), start + timedelta(minutes=int(pick))) for pick in picks]
                rows.append(self._live(user, int(picks[0]), start))
            self.write(TRAINING_EXAMPLE, day, rows)
            self.write(USER_FEATURE, day, [self.feature(user, day, rng) for user in range(1, self.users + 1)])
        self.write(BROADCAST, DAY, [{c.BROADCAST_ID: 9_000, c.STREAMER_ID: 1_001, c.STARTED_AT: NOW}])

    def _watch(self, user: int, content: int, at: datetime) -> dict[str, Any]:
        return {
            c.USER_ID: user,
            c.CONTENT_ID: content,
            c.CONTENT_KIND: ContentKind.CLIP,
            c.STREAMER_ID: self.owner(content),
            c.EVENT_TIME: at,
            c.LABEL_CLICK: True,
            c.LABEL_VALUED: True,
            c.LABEL_LIKE: False,
            c.LABEL_FOLLOW: False,
            c.WEIGHT: 1.0,
        }

    def _live(self, user: int, content: int, at: datetime) -> dict[str, Any]:
        live = {c.CONTENT_KIND: ContentKind.LIVE, c.CONTENT_ID: 9_000 + content}
        return {**self._watch(user, content, at), **live}

    def feature(self, user: int, day: date, rng: np.random.Generator) -> dict[str, Any]:
        own = np.arange(user % 2 or 2, self.contents + 1, 2)
        recent = [int(pick) for pick in rng.choice(own, size=5, replace=False)]
        return {
            c.USER_ID: user,
            c.SEGMENT: Segment.LIGHT,
            c.VIEWS: 20,
            c.VALUED_VIEWS: 10,
            c.WATCHED_SECONDS: 600.0,
            c.ACTIVE_DAYS: 4,
            c.DISTINCT_STREAMERS: 3,
            c.LIVE_SHARE: 0.1,
            c.MEAN_VALUE: 0.6,
            c.RECENT_CONTENT_IDS: recent,
            c.RECENT_STREAMER_IDS: [self.owner(recent[0])],
            c.PREFERRED_STREAMER_IDS: [self.owner(recent[1])],
            c.AVAILABLE_AT: available_at(day, "UTC", 180),
        }

    def write_earlier_views(self) -> None:
        rows = [
            {c.USER_ID: user, c.CONTENT_ID: content, c.POSITION: place, c.LOGGED_VALUED: place % 2 == 0}
            for user in range(1, self.users + 1)
            for place, content in enumerate(range(user % 2 or 2, self.contents + 1, 6))
        ]
        self.write(EARLIER_VIEW, DAY - timedelta(days=10), rows)

    def read_features(self, entities: pa.Table) -> pa.Table:
        """What Feast would join: the newest row that was available at the time."""
        warehouse = self.warehouse
        tables = [warehouse.read(USER_FEATURE, day) for day in warehouse.dates(USER_FEATURE)]
        rows = sorted(pa.concat_tables(tables).to_pylist(), key=lambda row: row[c.AVAILABLE_AT])
        joined = []
        for entity in entities.to_pylist():
            known = [
                row
                for row in rows
                if row[c.USER_ID] == entity[c.USER_ID] and row[c.AVAILABLE_AT] <= entity[c.EVENT_TIME]
            ]
            joined.append(known[-1] if known else {})
        return rows_of(USER_FEATURE, joined).select(USER_FEATURES)
