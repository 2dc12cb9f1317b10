"""The one protocol through which representative VODs reach the channel page."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class ChannelVod:
    """One VOD or clip of a channel page.

    Args:
        rank: 1 is best.
        creator_id: Who made it, where the catalogue knows.
        broadcast_id: The broadcast it was cut from, where there is one.
        viewers: Distinct users in the window.
    """

    rank: int
    content_id: int
    content_kind: str
    creator_id: int | None
    broadcast_id: int | None
    score: float
    viewers: int


class ChannelStore(Protocol):
    """Every channel's representative VODs, of one batch at a time."""

    def replace(self, day: date, rows: pa.Table) -> None:
        """Put `representative_vod_v1` of a day in the place of all there is; a reader sees the one or the other, whole.

        Raises:
            StoreUnavailableError: what there was stays.
        """

    def forget_creator(self, user_id: int) -> int:
        """Leave open who made the clips that a user made of other streamers; how many there were.

        Raises:
            StoreUnavailableError: the database does not answer.
        """

    def vods(self, streamer_id: int, limit: int) -> list[ChannelVod]:
        """The best of one channel; none for a streamer without any.

        Raises:
            StoreUnavailableError: nothing has been written yet, or the database does not answer.
        """

    def day(self) -> date | None:
        """The day that the rows are of; None before the first `replace`."""
