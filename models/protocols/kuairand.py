"""KuaiRand's official files as arrays: who was shown which video when, and whether they watched it long.

Letters: E log rows, P pairs of a user and a video, V earlier views, I videos.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.errors import LogFormatError
from models.linear.interactions import Ids

_LOG: Final = "log_standard*.csv*"
_VIDEOS: Final = "video_features_basic*.csv*"
_EARLIER: Final = "earlier_views.parquet"
_LOG_COLUMNS: Final = ["user_id", "video_id", "date", "time_ms", "long_view"]
_VIDEO_COLUMNS: Final = ["video_id", "video_duration", "tag"]
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_DAY_MS: Final = 86_400_000
_HALF_LIFE_DAYS: Final = 2.0
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class EarlierViews:
    """Views before the log, without times.

    Args:
        user, item: Indices, [V].
        age: How many later ones of the user there are, [V].
        is_long: Whether it was watched long, [V].
    """

    user: Ids
    item: Ids
    age: Ids
    is_long: Flags


@dataclass(frozen=True)
class KuaiRand:
    """A log with indices in place of ids.

    Args:
        users: How many there are.
        user, item, day, time_ms, is_long: Of every exposure, by time; `day` is the file's own, as 20220430, [E].
        earlier: Views before the log.
        category, duration: Of every video: index of its first tag, seconds (NaN where unknown), [I].
    """

    users: int
    user: Ids
    item: Ids
    day: Ids
    time_ms: Ids
    is_long: Flags
    earlier: EarlierViews
    category: Ids
    duration: npt.NDArray[np.float64]

    @property
    def items(self) -> int:
        return len(self.category)


@dataclass(frozen=True)
class Known:
    """What is known of users when a day begins, a row per user and video, by user and then newest first.

    Args:
        user, item: Indices, [P].
        age: How many later exposures of the user there are, [P].
        is_long: Whether any of the views was long, [P].
        popularity: Long views of each video, halved every two days before the day, [I].
        last_day: Long views of each video on the day before, [I].
        history: Users who watched each video long, ever, [I].
    """

    user: Ids
    item: Ids
    age: Ids
    is_long: Flags
    popularity: npt.NDArray[np.float64]
    last_day: npt.NDArray[np.float64]
    history: npt.NDArray[np.float64]


def read_kuairand(folder: Path) -> KuaiRand:
    """All standard logs of a folder, `earlier_views.parquet` and the videos' features where they are there.

    Raises:
        LogFormatError: there is no log, or a file lacks a column.
    """
    logs = sorted(folder.glob(_LOG))
    if not logs:
        raise LogFormatError(f"{folder} holds no {_LOG}; expected KuaiRand's official files")
    rows = pd.concat([_read(path, _LOG_COLUMNS) for path in logs])
    rows = rows.drop_duplicates(["user_id", "video_id", "time_ms"]).sort_values(["time_ms", "user_id", "video_id"])
    earlier = _earlier(folder / _EARLIER)
    found = sorted(folder.glob(_VIDEOS))
    videos = pd.concat([_read(path, _VIDEO_COLUMNS) for path in found]) if found else _no_videos()
    user_ids = np.union1d(rows["user_id"], earlier["user_id"])
    item_ids = np.unique(np.concatenate([rows["video_id"], earlier["video_id"], videos["video_id"]]))
    described = videos.drop_duplicates("video_id").set_index("video_id").reindex(item_ids)
    tags = described["tag"].fillna("").astype(str).str.split(",").str[0]
    return KuaiRand(
        users=len(user_ids),
        user=np.searchsorted(user_ids, rows["user_id"]),
        item=np.searchsorted(item_ids, rows["video_id"]),
        day=rows["date"].to_numpy(dtype=np.int64),
        time_ms=rows["time_ms"].to_numpy(dtype=np.int64),
        is_long=rows["long_view"].to_numpy() == 1,
        earlier=EarlierViews(
            np.searchsorted(user_ids, earlier["user_id"]),
            np.searchsorted(item_ids, earlier["video_id"]),
            earlier["age"].to_numpy(dtype=np.int64),
            earlier["is_long"].to_numpy(dtype=np.bool_),
        ),
        category=np.unique(tags, return_inverse=True)[1].astype(np.int64),
        duration=described["video_duration"].to_numpy(dtype=np.float64) / 1_000,
    )


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, usecols=columns)
    except ValueError as error:
        raise LogFormatError(f"{path.name} is not as KuaiRand publishes it: {error}") from error


def _no_videos() -> pd.DataFrame:
    return pd.DataFrame({"video_id": np.zeros(0, np.int64), "video_duration": np.zeros(0), "tag": np.zeros(0, str)})


def _earlier(path: Path) -> pd.DataFrame:
    """A row per user and video. A long view that the list of views does not reach back to is older than all of it."""
    if not path.is_file():
        return pd.DataFrame({"user_id": [], "video_id": [], "age": [], "is_long": []}, dtype=np.int64)
    lists = pd.read_parquet(path)
    seen, long = (_flat(lists, name) for name in ("watch_seq", "long_watch_seq"))
    reach = seen.groupby("user_id")["age"].max() + 1
    older = long.assign(age=long["age"] + long["user_id"].map(reach).fillna(0).astype(np.int64))
    together = pd.concat([seen.assign(is_long=False), older.assign(is_long=True)])
    views = together.groupby(["user_id", "video_id"], as_index=False).agg({"age": "min", "is_long": "max"})
    return views.sort_values(["user_id", "age"], kind="stable")


def _flat(lists: pd.DataFrame, name: str) -> pd.DataFrame:
    """Lists, oldest first, as rows with how many later ones there are."""
    sizes = lists[name].map(len).to_numpy()
    place = np.arange(sizes.sum()) - np.repeat(sizes.cumsum() - sizes, sizes)
    return pd.DataFrame(
        {
            "user_id": np.repeat(lists["user_id"].to_numpy(), sizes),
            "video_id": np.concatenate([np.empty(0, np.int64), *lists[name]]).astype(np.int64),
            "age": np.repeat(sizes, sizes) - 1 - place,
        }
    )


def known_before(log: KuaiRand, day: date) -> Known:
    """What a model may know when a day begins."""
    is_before = log.day < _number(day)
    user, item, time_ms, is_long = (values[is_before] for values in (log.user, log.item, log.time_ms, log.is_long))
    counts = np.bincount(user, minlength=log.users)
    newest = np.lexsort((np.negative(time_ms), user))
    age = np.arange(len(user)) - np.repeat(counts.cumsum() - counts, counts)
    pairs = pd.DataFrame(
        {
            "user": np.concatenate([user[newest], log.earlier.user]),
            "item": np.concatenate([item[newest], log.earlier.item]),
            "age": np.concatenate([age, log.earlier.age + counts[log.earlier.user]]),
            "is_long": np.concatenate([is_long[newest], log.earlier.is_long]),
        }
    )
    pairs = pairs.groupby(["user", "item"], as_index=False).agg({"age": "min", "is_long": "max"})
    pairs = pairs.sort_values(["user", "age"], kind="stable")
    days_ago = (_begin_ms(day) - time_ms) / _DAY_MS
    before = log.day[is_before]
    was_yesterday = before == before.max(initial=0)
    return Known(
        user=pairs["user"].to_numpy(dtype=np.int64),
        item=pairs["item"].to_numpy(dtype=np.int64),
        age=pairs["age"].to_numpy(dtype=np.int64),
        is_long=pairs["is_long"].to_numpy(dtype=np.bool_),
        popularity=_summed(item, is_long * 0.5 ** (days_ago / _HALF_LIFE_DAYS), log.items),
        last_day=_summed(item, is_long & was_yesterday, log.items),
        history=_summed(pairs["item"].to_numpy(), pairs["is_long"].to_numpy(), log.items),
    )


def _summed(item: npt.NDArray[Any], values: npt.NDArray[Any], items: int) -> npt.NDArray[np.float64]:
    return np.bincount(item, weights=values.astype(np.float64), minlength=items).astype(np.float64)


def watched_long(log: KuaiRand, day: date) -> tuple[Ids, Ids]:
    """User and video of the day's long views.

    Raises:
        LogFormatError: the log has no row of the day.
    """
    is_then = log.day == _number(day)
    if not is_then.any():
        raise LogFormatError(f"the log has no row of {day}")
    return log.user[is_then & log.is_long], log.item[is_then & log.is_long]


def _number(day: date) -> int:
    return int(f"{day:%Y%m%d}")


def _begin_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=_ZONE).timestamp() * 1_000)
