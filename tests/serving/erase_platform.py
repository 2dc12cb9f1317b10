"""A platform with one user who is known everywhere, and what is done to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts import columns as c
from contracts.settings import Settings
from contracts.tables import CANDIDATE_LIST, USER_ACTION, USER_FEATURE, VIEW_VALUE
from serving.channels.sql import SqlChannelStore
from serving.erase import Receipt, erase
from serving.publish import publish
from serving.stores.protocol import Store
from serving.stores.user_reads import ReadPlan, UserRow
from serving.sync_seen import sync_seen
from tests.serving.builders import DAY, NOW, candidate_rows, clips, small_platform, user_rows, view, write
from tests.serving.platform import Platform as Served

GONE = 7_000_001
SERVED = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=12)
LATER = NOW + timedelta(hours=1)


class Platform:
    """The small platform with one more user, who is known everywhere."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store, self.settings = store, Settings(home=root)
        self.warehouse = small_platform(root)
        listed = [*clips(GONE, 4), *clips(2, 5), (GONE, "favorites_clips", "vod", 300, 10, "preferred")]
        write(self.warehouse, CANDIDATE_LIST, DAY, candidate_rows(listed))
        write(self.warehouse, USER_FEATURE, DAY, user_rows({GONE: "heavy", 2: "light"}))
        write(self.warehouse, VIEW_VALUE, DAY, [view(GONE, 100, SERVED, completion=1.0), view(2, 101, SERVED)])
        hide = {c.USER_ID: GONE, c.ACTION: "hide", c.TARGET_KIND: "clip", c.TARGET_ID: 102, c.EVENT_TIME: SERVED}
        write(self.warehouse, USER_ACTION, DAY, [hide])
        self.channels = SqlChannelStore(self.settings.channel_database_url)

    def publish(self) -> str:
        return publish(self.warehouse, self.store, self.settings.serving, DAY, NOW).generation

    def sync_seen(self) -> None:
        sync_seen(self.warehouse, self.store, self.settings, DAY)

    def serve(self, request_id: str, user: int) -> None:
        Served(self.store, self.settings).ask(user, limit=3, request_id=request_id, at=SERVED)

    def erase(self, user: int = GONE, now: datetime = LATER) -> Receipt:
        return erase(self.warehouse, self.store, self.channels, self.settings, user, now)

    def row(self, user: int = GONE, surface: str = "home_clips") -> UserRow:
        generation = self.store.current_generation()
        assert generation is not None
        return self.store.read(ReadPlan(generation, surface, user))

    def entries(self, stream: str) -> list[bytes]:
        return [entry for _, entry in self.store.read_stream(stream, "0", 1_000)]

    def knows(self, user: int = GONE) -> bool:
        row = self.row(user)
        state = len(row.seen) + len(row.hidden_contents) + len(row.hidden_streamers)
        return bool(row.packed or row.known or state or self.row(user, "favorites_clips").packed)
