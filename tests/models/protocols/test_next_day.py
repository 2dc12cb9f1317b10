"""A small platform in KuaiRand's official files: two tastes, one video that everybody saw, three days."""

import gzip
import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from contracts.errors import LogFormatError
from models.__main__ import app
from models.protocols.kuairand import known_before, read_kuairand, watched_long

USERS, VIDEOS = 60, 40
FIRST_MS = 1_650_816_000_000
"""Midnight of 25 April 2022 in Shanghai."""


def _log_rows() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for day in range(3):
        for user in range(USERS):
            half = VIDEOS // 2 * (user % 2)
            for video in half + rng.choice(VIDEOS // 2, 3, replace=False):
                at = FIRST_MS + day * 86_400_000 + int(rng.integers(0, 86_000_000))
                rows.append((user, 100 + video, 20220425 + day, at, int(rng.random() < 0.7)))
    return pd.DataFrame(rows, columns=["user_id", "video_id", "date", "time_ms", "long_view"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = _log_rows()
    together = pd.concat([rows, rows.head(5)])  # the official files hold some rows twice
    path = tmp_path / "log_standard_pure.csv.gz"
    path.write_bytes(gzip.compress(together.assign(tab=1).to_csv(index=False).encode()))
    videos = pd.DataFrame({"video_id": 100 + np.arange(VIDEOS + 1), "video_duration": 20_000.0, "tag": "1,2"})
    videos.to_csv(tmp_path / "video_features_basic_pure.csv", index=False)
    rng = np.random.default_rng(2)
    seen = [100 + VIDEOS // 2 * (user % 2) + rng.choice(VIDEOS // 2, 8, replace=False) for user in range(USERS)]
    lists = {"user_id": np.arange(USERS), "watch_seq": seen, "long_watch_seq": [items[[2, 5]] for items in seen]}
    pd.DataFrame(lists).to_parquet(tmp_path / "earlier_views.parquet")
    return tmp_path


def test_rows_that_are_there_twice_count_once_and_every_video_is_a_candidate(folder: Path) -> None:
    log = read_kuairand(folder)
    assert len(log.user) == USERS * 3 * 3
    assert (log.users, log.items) == (USERS, VIDEOS + 1)  # the last video was never watched
    assert len(log.earlier.user) == USERS * 8
    assert log.earlier.is_long.sum() == USERS * 2


def test_a_long_view_that_the_list_of_views_forgot_is_older_than_it(folder: Path) -> None:
    lists = pd.DataFrame(
        {"user_id": [7], "watch_seq": [np.array([101, 102])], "long_watch_seq": [np.array([105, 102])]}
    )
    lists.to_parquet(folder / "earlier_views.parquet")
    earlier = read_kuairand(folder).earlier
    ids = 100 + earlier.item
    assert list(zip(ids, earlier.age, earlier.is_long, strict=True)) == [
        (102, 0, True),
        (101, 1, False),
        (105, 3, True),
    ]


def test_nothing_of_the_day_or_after_it_is_known_before(folder: Path) -> None:
    log = read_kuairand(folder)
    known = known_before(log, date(2022, 4, 26))
    first = log.day == 20220425
    assert known.last_day.sum() == (log.is_long & first).sum()
    pairs = {*zip(log.user[first], log.item[first], strict=True), *zip(log.earlier.user, log.earlier.item, strict=True)}
    assert {*zip(known.user, known.item, strict=True)} == pairs
    newest = known.age[np.r_[True, np.diff(known.user) > 0]]
    assert (newest == 0).all()


def test_recent_popularity_halves_every_two_days(folder: Path) -> None:
    log = read_kuairand(folder)
    known = known_before(log, date(2022, 4, 27))
    begin = FIRST_MS + 2 * 86_400_000
    before = (log.time_ms < begin) & log.is_long
    expected = sum(0.5 ** ((begin - at) / 86_400_000 / 2) for at in log.time_ms[before])
    assert known.popularity.sum() == pytest.approx(expected)


def test_a_day_without_rows_is_a_named_error(folder: Path) -> None:
    with pytest.raises(LogFormatError, match="2022-05-09"):
        watched_long(read_kuairand(folder), date(2022, 5, 9))


def test_another_folder_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(LogFormatError, match="log_standard"):
        read_kuairand(tmp_path)


def test_a_log_that_lacks_a_column_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "log_standard.csv").write_text("user_id,video_id\n1,2\n")
    with pytest.raises(LogFormatError, match=r"log_standard\.csv"):
        read_kuairand(tmp_path)


def test_the_command_prints_one_object_with_every_model_by_day_and_mode(folder: Path) -> None:
    made = CliRunner().invoke(
        app, ["next_day", "--log", str(folder), "--days", "2022-04-26,2022-04-27", "--seeds", "1"]
    )
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert {"new", "all", "per_day", "seconds", "settings"} <= set(found)
    for day in ("2022-04-26", "2022-04-27"):
        new = found["per_day"][day]["new"]
        assert new["fused"]["recall_at_20"] > 0.8  # 20 places for the 20 videos of one's own taste
        assert new["popularity_history"]["recall_at_20"] < 0.75
        assert {"ease", "item_knn_popular", "two_tower", "two_tower_popular"} <= set(new)
    means = [found["per_day"][day]["new"]["fused"]["ndcg_at_20"] for day in found["per_day"]]
    assert found["new"]["ndcg_at_20"] == pytest.approx(np.mean(means))


def test_a_day_that_is_no_day_is_refused(folder: Path) -> None:
    assert CliRunner().invoke(app, ["next_day", "--log", str(folder), "--days", "yesterday"]).exit_code == 2
