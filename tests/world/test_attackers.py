"""Each attacker does what its definition says, its truth is told apart from the log, and the honest never notice."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from contracts import columns as c
from contracts.errors import WorldConfigError
from tests.world.configs import small
from world.catalogue import FIRST_CONTENT_ID
from world.choice import LIVE, VOD
from world.config import AttackKind, WorldConfig
from world.days import Day
from world.plays import Plays, Raid
from world.population import FIRST_USER_ID
from world.world import World

BOOST = date(2026, 3, 4)
SHARE = 0.05


def _config(kind: str, **attack: object) -> WorldConfig:
    return small(attack={"kind": kind, "share": SHARE, "day": 3, **attack})


def _lived(kind: str, **attack: object) -> tuple[list[Day], Raid]:
    days = list(World.from_config(_config(kind, **attack)).days())
    raid = days[-1].raid
    assert raid is not None
    return days, raid


def _per_account(raid: Raid, plays: Plays) -> np.ndarray:
    first = 200
    return np.bincount(plays.user - first, minlength=len(raid.accounts.activity))


def _watches_target_in_full(day: Day, raid: Raid, plays: Plays) -> bool:
    in_full = plays.seconds == day.scene.contents.duration[raid.target]
    return bool(((plays.kind == VOD) & (plays.item == raid.target) & in_full).all())


def test_fresh_bots_are_a_share_of_the_active_and_watch_the_target_once_in_full() -> None:
    days, raid = _lived("fresh_bots")
    active = len(np.unique(days[2].plays.user[days[2].plays.is_click]))
    assert list(raid.plays) == [BOOST]
    assert _per_account(raid, raid.plays[BOOST]).tolist() == [1] * round(SHARE * active)
    assert _watches_target_in_full(days[2], raid, raid.plays[BOOST])


def test_loop_bots_watch_the_target_twenty_times_each() -> None:
    days, raid = _lived("loop_bots")
    assert set(_per_account(raid, raid.plays[BOOST]).tolist()) == {20}
    assert _watches_target_in_full(days[2], raid, raid.plays[BOOST])


def test_a_streamer_farm_watches_every_vod_of_one_streamer_and_nothing_else() -> None:
    days, raid = _lived("streamer_farm")
    contents, plays = days[2].scene.contents, raid.plays[BOOST]
    begin = days[2].plays.started.min() // 86_400 * 86_400
    own = ~contents.is_clip & (contents.streamer == contents.streamer[raid.target]) & (contents.published < begin)
    whole = set(np.flatnonzero(own & (contents.removed >= begin + 86_400)).tolist())
    assert len(whole) > 1
    for account in np.unique(plays.user):
        assert sorted(plays.item[plays.user == account].tolist()) == sorted(whole)
    assert (plays.seconds == contents.duration[plays.item]).all()


def test_idle_viewers_stay_on_live_for_hours_while_it_is_on() -> None:
    days, raid = _lived("idle_live", idle_hours=10.0)
    schedule, plays = days[2].scene.schedule, raid.plays[BOOST]
    assert (plays.kind == LIVE).all()
    assert (plays.started >= schedule.started[plays.item]).all()
    assert (plays.started + plays.seconds <= schedule.ended[plays.item] + 1e-3).all()
    hours = np.bincount(plays.user - 200, plays.seconds) / 3_600
    assert (hours <= 10.0 + 1e-6).all()
    assert np.median(hours) > 4.0


def test_mimics_live_like_the_honest_for_two_days_before_they_boost() -> None:
    days, raid = _lived("mimics", share=0.3)
    assert list(raid.plays) == [date(2026, 3, 2), date(2026, 3, 3), BOOST]
    assert _watches_target_in_full(days[2], raid, raid.plays[BOOST])
    assert set(_per_account(raid, raid.plays[BOOST]).tolist()) == {1}
    lived, honest = raid.plays[date(2026, 3, 3)], days[1].plays
    assert len(np.unique(lived.streamer)) > 5
    shares = [(plays.kind == LIVE).mean() for plays in (lived, honest)]
    assert shares[0] == pytest.approx(shares[1], abs=0.1)
    assert lived.is_click.mean() == pytest.approx(honest.is_click.mean(), abs=0.1)


@pytest.mark.parametrize("kind", AttackKind)
def test_the_honest_live_as_without_an_attack(kind: str) -> None:
    honest, attacked = list(World.from_config(small()).days()), _lived(kind)[0]
    for one, other in zip(honest, attacked, strict=True):
        assert all((a == b).all() for a, b in zip(vars(one.plays).values(), vars(other.plays).values(), strict=True))
        assert (one.after.bonds.ties == other.after.bonds.ties).all()


def test_the_target_is_a_vod_of_median_rank_by_seconds_and_the_same_for_every_attack_on_a_day() -> None:
    days, raid = _lived("fresh_bots")
    assert raid.target == _lived("loop_bots")[1].target
    contents = days[0].scene.contents
    plays = [day.plays.take(day.plays.kind == VOD) for day in days[:3]]
    watched = sum(np.bincount(part.item, part.seconds, len(contents.streamer)) for part in plays)
    begin = days[2].plays.started.min() // 86_400 * 86_400
    others = (watched > 0) & (contents.published < begin) & (contents.removed >= begin + 86_400)
    assert (watched[others] < watched[raid.target]).sum() == (others.sum() - 1) // 2


def test_a_named_target_is_taken_and_one_that_is_not_there_is_an_error() -> None:
    _, raid = _lived("fresh_bots")
    assert _lived("mimics", target=raid.target + FIRST_CONTENT_ID)[1].target == raid.target
    with pytest.raises(WorldConfigError, match=r"attack\.target 5 is no VOD"):
        _lived("fresh_bots", target=5)


def test_bots_are_named_in_the_truth_and_look_like_any_account_in_the_log(tmp_path: Path) -> None:
    world = World.from_config(_config("mimics"))
    world.generate(tmp_path)
    bots = pq.ParquetFile(tmp_path / "truth" / "true_bot" / "part-00000.parquet").read()
    accounts = bots[c.USER_ID].to_numpy()
    assert (accounts >= FIRST_USER_ID + 200).all()
    assert set(bots[c.ATTACK].to_pylist()) == {"mimics"}
    assert len(set(bots[c.CONTENT_ID].to_pylist())) == 1
    users = pq.ParquetFile(tmp_path / "user" / "dt=2026-03-04" / "part-00000.parquet").read()
    assert pc.is_in(bots[c.USER_ID], users[c.USER_ID]).to_pylist() == [True] * len(accounts)
    watched = pq.ParquetFile(tmp_path / "watch_event" / "dt=2026-03-04" / "part-00000.parquet").read()
    boosts = watched.filter(pc.equal(watched[c.CONTENT_ID], bots[c.CONTENT_ID][0]))
    assert set(accounts) <= set(boosts[c.USER_ID].to_pylist())
    assert not (tmp_path / "true_bot").exists()


def test_the_honest_rows_of_an_attacked_log_are_those_of_the_honest_log(tmp_path: Path) -> None:
    World.from_config(small()).generate(tmp_path / "honest")
    World.from_config(_config("loop_bots")).generate(tmp_path / "attacked")
    for name in ("watch_event", "user", "user_action", "content"):
        for part in sorted((tmp_path / "honest" / name).rglob("*.parquet")):
            rows, other = (
                pq.ParquetFile(path).read()
                for path in (part, tmp_path / "attacked" / part.relative_to(tmp_path / "honest"))
            )
            if c.USER_ID in other.column_names:
                other = other.filter(pc.less(other[c.USER_ID], FIRST_USER_ID + 200))
            assert rows.equals(other)
    assert not (tmp_path / "honest" / "truth" / "true_bot").exists()
    assert "attack" not in json.loads((tmp_path / "honest" / "world.json").read_text())["config"]


BAD_ATTACKS = [
    ({"kind": "mimics", "day": 2}, r"attack\.day 2 leaves no room: the log has 4 days, and the accounts of mimics"),
    ({"kind": "fresh_bots", "day": 5}, r"attack\.day 5 leaves no room"),
    ({"kind": "bribes", "day": 1}, "Input should be 'fresh_bots'"),
]


@pytest.mark.parametrize(("attack", "message"), BAD_ATTACKS)
def test_an_attack_that_cannot_be_is_refused(attack: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(attack=attack)
