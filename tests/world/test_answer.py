from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from contracts.errors import UnknownItemError
from tests.world.configs import small
from world.answer import Feedback
from world.catalogue import FIRST_CONTENT_ID
from world.population import FIRST_USER_ID
from world.schedule import FIRST_BROADCAST_ID
from world.world import World

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    """A world whose users look at everything and click on whatever is to be had."""
    return World.from_config(
        small(choice={"position_bias": 0.0, "click_bias": 30.0}, streamers={"broadcasts_per_week": 7.0})
    )


def _ask(world: World, item: int, moment: datetime, seed: int = 1) -> Feedback:
    return world.answer([item], FIRST_USER_ID, moment, np.random.default_rng(seed))


def test_a_broadcast_is_clicked_from_its_start_until_its_end_and_never_outside(world: World) -> None:
    schedule, second = world.first.scene.schedule, timedelta(seconds=1)
    broadcast = int(schedule.ids[5])
    start, end = (datetime.fromtimestamp(column[5], UTC) for column in (schedule.started, schedule.ended))
    moments = (start - second, start, end - second, end)
    answers = [_ask(world, broadcast, moment) for moment in moments]
    assert [bool(answer.examined[0]) for answer in answers] == [True] * 4
    assert [bool(answer.clicked[0]) for answer in answers] == [False, True, True, False]
    assert [answer.watched_seconds[0] > 0 for answer in answers] == [False, True, True, False]
    assert answers[2].watched_seconds[0] <= 1


def test_a_content_is_clicked_from_its_publication_until_its_removal(world: World) -> None:
    contents, second = world.first.scene.contents, timedelta(seconds=1)
    row = int(np.flatnonzero(np.isfinite(contents.removed))[0])
    shown, gone = (
        datetime.fromtimestamp(np.ceil(column[row]), UTC) for column in (contents.published, contents.removed)
    )
    clicked = [
        bool(_ask(world, int(contents.ids[row]), moment).clicked[0])
        for moment in (shown - second, shown, gone - 2 * second, gone)
    ]
    assert clicked == [False, True, True, False]


def test_the_live_schedule_and_the_answers_agree(world: World) -> None:
    live = world.live_at(NOON)
    on = {broadcast.broadcast_id for broadcast in live}
    ids = world.first.scene.schedule.ids.tolist()
    answer = world.answer(ids, FIRST_USER_ID, NOON, np.random.default_rng(2))
    assert 0 < len(on) < len(ids)
    assert {ids[place] for place in np.flatnonzero(answer.clicked)} == on
    assert all(broadcast.started_at <= NOON for broadcast in live)
    assert len({broadcast.streamer_id for broadcast in live}) == len(live)


def test_a_mixed_slate_is_answered_in_its_order_and_equally_for_an_equal_rng(world: World) -> None:
    contents = world.first.scene.contents
    shown = contents.ids[np.flatnonzero(contents.available_at(NOON.timestamp()))[:2]]
    slate = [int(shown[0]), world.live_at(NOON)[0].broadcast_id, int(shown[1]), FIRST_BROADCAST_ID]
    one, other = (world.answer(slate, FIRST_USER_ID, NOON, np.random.default_rng(3)) for _ in range(2))
    assert one.clicked.tolist() == [True, True, True, False]
    assert one.watched_seconds.tolist() == other.watched_seconds.tolist()
    assert all(one.watched_seconds[[0, 2]] <= contents.duration[shown - FIRST_CONTENT_ID][[0, 1]])


def test_an_empty_slate_has_an_empty_answer(world: World) -> None:
    answer = world.answer([], FIRST_USER_ID, NOON, np.random.default_rng(0))
    assert (len(answer.examined), len(answer.clicked), len(answer.watched_seconds)) == (0, 0, 0)


UNKNOWN = [
    ([1], FIRST_USER_ID, "item 1 is not of this world"),
    ([FIRST_CONTENT_ID - 1], FIRST_USER_ID, f"item {FIRST_CONTENT_ID - 1} is not of this world"),
    ([FIRST_CONTENT_ID, 99_000_000], FIRST_USER_ID, "item 99000000 is not of this world"),
    ([FIRST_CONTENT_ID], FIRST_USER_ID - 1, f"user {FIRST_USER_ID - 1} is not of this world"),
    ([FIRST_CONTENT_ID], FIRST_USER_ID + 200, f"user {FIRST_USER_ID + 200} is not of this world"),
]


@pytest.mark.parametrize(("slate", "user_id", "message"), UNKNOWN)
def test_an_unknown_id_is_a_named_error(world: World, slate: list[int], user_id: int, message: str) -> None:
    with pytest.raises(UnknownItemError, match=message):
        world.answer(slate, user_id, NOON, np.random.default_rng(0))


def test_after_the_days_a_user_answers_with_the_ties_of_the_last() -> None:
    world = World.from_config(small())
    before = world.state.bonds.ties
    days = list(world.days())
    assert world.state.bonds is days[-1].after.bonds
    assert (world.state.bonds.ties != before).any()
    assert (days[1].bonds.ties == days[0].after.bonds.ties).all()
