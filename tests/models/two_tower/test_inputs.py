from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow.compute as pc
import pytest
import torch

from contracts import columns as c
from contracts.errors import (
    EmptyCatalogueError,
    FeatureStoreMissingError,
    MissingPartitionError,
    NoExamplesError,
    StreamrecError,
)
from contracts.names import ContentKind
from contracts.tables import BROADCAST, TRAINING_EXAMPLE, USER_FEATURE
from models.two_tower.batches import BatchMaker, Chances, Sampling
from models.two_tower.candidates import read_retrieval_inputs
from models.two_tower.data import UNTIMED, build_training_data, build_vocabularies, day_number
from models.two_tower.inputs import FeastReader, read_training_inputs
from tests.models.two_tower.worlds import DAY, SMALL, World


def train_inputs(world: World) -> object:
    return read_training_inputs(world.settings, DAY, world.read_features)


def retrieval_inputs(world: World) -> object:
    return read_retrieval_inputs(world.settings, DAY)


def without_labels(world: World) -> None:
    world.write_catalogue()
    world.write_log()
    rows = world.warehouse.read(TRAINING_EXAMPLE, DAY).to_pylist()
    for back in range(4):
        dull = [{**row, c.LABEL_CLICK: False, c.LABEL_VALUED: False} for row in rows]
        world.write(TRAINING_EXAMPLE, DAY - timedelta(days=back), dull)


@pytest.mark.parametrize(
    ("prepare", "read", "error", "message"),
    [
        (World.write_catalogue, train_inputs, NoExamplesError, "run first: python -m jobs training_examples"),
        (World.write_log, train_inputs, EmptyCatalogueError, "run python -m jobs import_log"),
        (without_labels, train_inputs, NoExamplesError, "none of the 1120 training examples"),
        (World.write_catalogue, retrieval_inputs, MissingPartitionError, "run first: python -m jobs user_features"),
        (World.write_log, retrieval_inputs, EmptyCatalogueError, "run python -m jobs import_log"),
    ],
    ids=["no examples", "no catalogue", "no positives", "no features", "no catalogue to retrieve from"],
)
def test_what_is_missing_is_named_with_the_command_that_makes_it(
    empty_world: World,
    prepare: Callable[[World], None],
    read: Callable[[World], object],
    error: type[StreamrecError],
    message: str,
) -> None:
    prepare(empty_world)
    with pytest.raises(error, match=message):
        read(empty_world)


def test_a_feature_store_that_was_never_applied_is_named(world: World) -> None:
    with pytest.raises(FeatureStoreMissingError, match="python -m feature_repo apply"):
        FeastReader(world.settings)(world.warehouse.read(TRAINING_EXAMPLE, DAY))


def test_every_partition_read_is_recorded(world: World) -> None:
    inputs = read_training_inputs(world.settings, DAY, world.read_features)
    names = [snapshot.reference[0] for snapshot in inputs.snapshots]
    assert f"training_example_v1/{DAY}" in names
    assert f"content_v1/{DAY}" in names
    assert f"user_feature_v1/{DAY}" not in names, "the day's own features are available only after it"
    assert f"user_feature_v1/{DAY - timedelta(days=1)}" in names


def test_one_feature_row_serves_a_user_between_two_publications(world: World) -> None:
    inputs = read_training_inputs(world.settings, DAY, world.read_features)
    users = inputs.positives[c.USER_ID].to_numpy()
    assert len(inputs.features) == 4 * world.users
    assert len(inputs.feature_row) == len(users)
    first_day = inputs.features[c.VIEWS].is_null()
    assert first_day.to_pylist().count(True) == world.users, "nothing was available before the first day"


def test_earlier_views_teach_with_all_the_other_ones_as_history(empty_world: World) -> None:
    empty_world.write_catalogue()
    empty_world.write_log()
    empty_world.write_earlier_views()
    inputs = read_training_inputs(empty_world.settings, DAY, empty_world.read_features)
    vocabularies = build_vocabularies(inputs)
    data = build_training_data(inputs, vocabularies, SMALL, "UTC")
    untimed = torch.nonzero(data.examples.day == UNTIMED)[:, 0]
    assert len(untimed) == inputs.earlier.num_rows  # type: ignore[union-attr]
    maker = BatchMaker(data, lambda distinct, _: torch.zeros(len(distinct)), Sampling())
    batch = maker.make(untimed[:7], Chances(torch.Generator(), torch.Generator()))
    target = batch.items.item[batch.draws.column]
    for own, history in zip(target.tolist(), batch.users.contents.tolist(), strict=True):
        others = {row for row in history if row}
        assert own not in others
        assert others | {own} == {1, 7, 13, 19, 25, 31, 37}


def test_a_user_feature_of_the_day_itself_is_read_for_retrieval(world: World) -> None:
    inputs = read_retrieval_inputs(world.settings, DAY)
    assert len(inputs.features) == world.users
    assert f"{USER_FEATURE.name}/{DAY}" in [snapshot.reference[0] for snapshot in inputs.snapshots]
    assert inputs.has_live


def test_a_live_watch_draws_the_broadcast_that_was_on(empty_world: World) -> None:
    empty_world.write_catalogue()
    empty_world.write_log()
    first = DAY - timedelta(days=3)
    start = datetime(first.year, first.month, first.day, 5, tzinfo=UTC)

    def broadcast(content: int, **changes: object) -> dict[str, object]:
        found = {c.BROADCAST_ID: 9_000 + content, c.STREAMER_ID: empty_world.owner(content), c.STARTED_AT: start}
        return {**found, **changes}

    numbers = range(1, empty_world.contents + 1)
    # On the first day nobody knows an end; by the last one it is known that the first broadcast was over at once.
    empty_world.write(BROADCAST, first, [broadcast(number) for number in numbers])
    empty_world.write(BROADCAST, DAY, [broadcast(1, **{c.ENDED_AT: start + timedelta(minutes=1)})])
    inputs = read_training_inputs(empty_world.settings, DAY, empty_world.read_features)
    assert len(inputs.broadcasts) == empty_world.contents
    data = build_training_data(inputs, build_vocabularies(inputs), SMALL, "UTC")
    examples, live = data.examples, data.examples.broadcast >= 0
    watched = inputs.positives.filter(pc.equal(inputs.positives[c.CONTENT_KIND], ContentKind.LIVE))
    over = pc.sum(pc.equal(watched[c.CONTENT_ID], 9_001)).as_py()
    assert over > 0
    assert int(live.sum()) == len(watched) - over
    assert torch.equal(data.broadcasts.item[examples.broadcast[live]], examples.item[live])
    assert (data.group_of_draw[data.draws[live]] == 2).all()
    assert (examples.second[live] % 86_400 == 6 * 3_600).all()


def test_what_was_shown_and_never_watched_is_skipped_by_the_watch_nearest_in_time(empty_world: World) -> None:
    empty_world.write_catalogue()
    empty_world.write_log()
    rows = empty_world.warehouse.read(TRAINING_EXAMPLE, DAY).to_pylist()
    watches = [row for row in rows if row[c.USER_ID] == 1 and row[c.CONTENT_KIND] == ContentKind.CLIP]
    first, last = (pick(watches, key=lambda row: row[c.EVENT_TIME]) for pick in (min, max))
    dull = {c.LABEL_CLICK: False, c.LABEL_VALUED: False}
    shown = [
        {**first, **dull, c.CONTENT_ID: 2, c.EVENT_TIME: first[c.EVENT_TIME] - timedelta(seconds=1)},
        {**last, **dull, c.CONTENT_ID: 4, c.EVENT_TIME: last[c.EVENT_TIME] + timedelta(seconds=1)},
        {**last, **dull, c.CONTENT_ID: 6, c.EVENT_TIME: last[c.EVENT_TIME] + timedelta(hours=2)},
        {**last, **dull, c.CONTENT_ID: first[c.CONTENT_ID]},
    ]
    empty_world.write(TRAINING_EXAMPLE, DAY, [*rows, *shown])
    settings = empty_world.settings.model_copy(
        update={"two_tower": SMALL.model_copy(update={"hard_negative_weight": 1.0})}
    )
    inputs = read_training_inputs(settings, DAY, empty_world.read_features)
    data = build_training_data(inputs, build_vocabularies(inputs), settings.two_tower, "UTC")
    assert data.skipped is not None
    own = (data.examples.user == 1) & (data.examples.day == day_number(DAY)) & ~data.is_streamer[data.examples.item]
    pairs = dict(zip((data.examples.item[own] + 1).tolist(), (data.skipped[own] + 1).tolist(), strict=True))
    assert pairs[first[c.CONTENT_ID]] == 2
    assert pairs[last[c.CONTENT_ID]] == 4
    assert set(pairs.values()) <= {0, 2, 4}
    assert not (data.skipped[data.examples.user != 1] >= 0).any()
    plain = read_training_inputs(empty_world.settings, DAY, empty_world.read_features)
    assert build_training_data(plain, build_vocabularies(plain), SMALL, "UTC").skipped is None


def test_items_know_when_they_were_published(world: World) -> None:
    inputs = read_training_inputs(world.settings, DAY, world.read_features)
    data = build_training_data(inputs, build_vocabularies(inputs), SMALL, "UTC")
    assert data.published is not None
    assert data.published[0] == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert data.published[-1] == 0, "nobody says when the streamers came"
