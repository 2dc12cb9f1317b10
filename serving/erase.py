"""Erase a user: from Redis at once, from all that is kept elsewhere by the next daily batch; and keep them out.

The order makes it safe to be killed anywhere and run again. First the mark in `erased_user_v1`, which every later
batch, publish and import obeys; then the tombstone, which every read obeys; then what is known of the user is deleted.
A publish that was under way reads the marks again before it flips (`enforce`): either it or this deletes what it wrote.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from contracts import redis_keys
from contracts.clock import available_at
from contracts.erasure import Erased, erased_users, mark_erased, still_holding
from contracts.errors import EventError, InvalidRequestError, PayloadError
from contracts.feast_online import online_key
from contracts.feedback_events import Feedback
from contracts.names import STREAM_FEEDBACK, STREAM_IMPRESSIONS, USER_STREAMS, dead_letters
from contracts.settings import ServingSettings, Settings
from contracts.snapshots import Warehouse
from contracts.tables import ERASED_USER
from serving.channels.store import ChannelStore
from serving.impressions import read_entry
from serving.stores.protocol import ErasureStore

_KEPT_OUT: Final = timedelta(days=ERASED_USER.retention_days)
_USER_ID: Final = re.compile(r"-?[0-9]{1,19}")
_NUMBER: Final = re.compile(rb"-?[0-9]+")
_RECEIPTS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "streamrec/erasure-receipt")
_ELSEWHERE: Final = (
    "the log that is imported from, and backups of Redis, of the warehouse and of MLflow, are the operator's; an import"
    " leaves the user out, and a Redis that was restored obeys again from the next publish or rollback on"
)


@dataclass(frozen=True)
class Receipt:
    """What is gone, and by when the rest will be.

    Args:
        receipt_id: The same however often the user is erased.
        erased_at: The first time.
        again: This was not the first time.
        deleted: How much was deleted now, by store.
        still_in: Partitions that still name the user, by table: none once the daily batch has run.
        gone_by: What the next daily batch takes the user out of, and when it has done so at the latest.
        kept_out_until: Until then no log, batch or publish brings the user back.
        elsewhere: What streamrec does not reach.
    """

    receipt_id: str
    user_id: int
    erased_at: str
    again: bool
    deleted: dict[str, int]
    still_in: dict[str, int]
    gone_by: dict[str, str]
    kept_out_until: str
    elsewhere: str


def to_user_id(text: str) -> int:
    """A user's id as an operator types it.

    Raises:
        InvalidRequestError: it is not an int64.
    """
    if not _USER_ID.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise InvalidRequestError(f"--user {text} is no user id: expected a whole number of 64 bits")
    return int(text)


def erase(
    warehouse: Warehouse, store: ErasureStore, channels: ChannelStore, settings: Settings, user_id: int, now: datetime
) -> Receipt:
    """Erase one user; a user nobody knows, too, so that a log that comes later does not bring them.

    Running it again changes nothing, or ends what was cut short.

    Raises:
        StoreUnavailableError: run it again when the store is back; until then the mark keeps the user out of batches.
    """
    erased_at = mark_erased(warehouse, user_id, _day(now, settings), now)
    _put_tombstones(store, {user_id: erased_at}, now)
    deleted = _delete(store, channels, user_id)
    platform = settings.platform
    batch = available_at(_day(erased_at, settings), platform.time_zone, platform.publish_delay_minutes)
    return Receipt(
        receipt_id=str(uuid.uuid5(_RECEIPTS, f"{user_id} {erased_at.isoformat()}")),
        user_id=user_id,
        erased_at=erased_at.isoformat(),
        again=erased_at != now,
        deleted=deleted,
        still_in=still_holding(warehouse, Erased(np.array([user_id], np.int64))),
        gone_by=dict.fromkeys(("tables", "training_sets", "models"), batch.isoformat()),
        kept_out_until=(erased_at + _KEPT_OUT).isoformat(),
        elsewhere=_ELSEWHERE,
    )


def _delete(store: ErasureStore, channels: ChannelStore, user_id: int) -> dict[str, int]:
    """Delete what is known of a user; how much there was, by store."""
    listed = store.drop_listed([user_id])
    return {
        "redis_lists": listed.lists,
        "redis_profiles": listed.profiles,
        "redis_state": store.drop_keys(state_keys([user_id])),
        "feast_online": store.drop_keys([online_key(user_id)]),
        "channel_vods": channels.forget_creator(user_id),
        # Last, so that what requests under way have still written is found.
        **{stream: _drop_entries(store, stream, user_id, partial(_is_of, _USER_OF[stream])) for stream in USER_STREAMS},
        **{stream: _drop_entries(store, stream, user_id, _has_number) for stream in map(dead_letters, USER_STREAMS)},
    }


def enforce(warehouse: Warehouse, store: ErasureStore, settings: ServingSettings, now: datetime) -> None:
    """Make Redis obey the marks before a generation is served: it may have been emptied, restored or just written.

    Everybody's tombstone is set again. Of those who were erased since the oldest list, what is there again is deleted.
    """
    erased = erased_users(warehouse)
    _put_tombstones(store, erased, now)
    recently = now - timedelta(hours=settings.list_ttl_hours)
    recent = [user for user, at in erased.items() if at >= recently]
    store.drop_listed(recent)
    store.drop_keys([*state_keys(recent), *map(online_key, recent)])


def state_keys(user_ids: Iterable[int]) -> list[str]:
    """The keys of all that is known of users, but for those in hashes that many users share."""
    return [key(user) for user in user_ids for key in redis_keys.USER_KEYS]


def _drop_entries(store: ErasureStore, stream: str, user_id: int, names: Callable[[bytes, int], bool]) -> int:
    """Delete the entries of a stream that name the user; how many there were."""
    after, dropped = "0", 0
    while True:
        last, entries = store.search_stream(stream, str(user_id).encode(), after)
        dropped += store.drop_entries(stream, [entry for entry, text in entries if names(text, user_id)])
        if last is None:
            return dropped
        after = last


def _is_of(user_of: Callable[[bytes], int | None], text: bytes, user_id: int) -> bool:
    """Whether an entry is of this user; what cannot be read may be."""
    try:
        return user_of(text) == user_id
    except (PayloadError, EventError):
        return _has_number(text, user_id)


def _user_of_feedback(text: bytes) -> int | None:
    return Feedback.from_json(text).user_id


def _user_of_slate(text: bytes) -> int | None:
    return read_entry(text).user_id


_USER_OF: Final = {STREAM_IMPRESSIONS: _user_of_slate, STREAM_FEEDBACK: _user_of_feedback}


def _has_number(text: bytes, user_id: int) -> bool:
    """Whether the number stands anywhere in it: in what nobody could read it may be the user."""
    return str(user_id).encode() in _NUMBER.findall(text)


def _put_tombstones(store: ErasureStore, erased: dict[int, datetime], now: datetime) -> None:
    left = {user: (at, round((at + _KEPT_OUT - now).total_seconds())) for user, at in erased.items()}
    store.put_tombstones({user: (at.isoformat(), seconds) for user, (at, seconds) in left.items() if seconds > 0})


def _day(at: datetime, settings: Settings) -> date:
    return at.astimezone(ZoneInfo(settings.platform.time_zone)).date()
