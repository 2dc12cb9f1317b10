from dataclasses import replace

import torch

from models.two_tower.batches import BatchMaker, Broadcasts, Dropout, Examples, TrainingData
from models.two_tower.features import NUMERIC_FEATURES
from models.two_tower.towers import ItemBatch, UserBatch


def data() -> TrainingData:
    """Contents 0 to 2 in item rows 1 to 3, streamers 3 and 4 in rows 4 and 5; two feature rows."""
    rows = torch.tensor
    examples = Examples(
        user=rows([1, 2, 1, 2]),
        item=rows([0, 1, 3, 4]),
        features=rows([0, 1, 0, 1]),
        age=rows([1, 2, 0, 0]),
        weight=torch.ones(4),
        day=rows([1, 1, 1, 1]),
        second=rows([0, 0, 0, 0]),
        broadcast=rows([-1, -1, -1, -1]),
    )
    nothing = torch.zeros(5, dtype=torch.int64)
    return TrainingData(
        examples=examples,
        histories=UserBatch(
            user=torch.zeros(2, dtype=torch.int64),
            contents=rows([[1, 2], [3, 0]]),
            streamers=rows([[1, 0], [2, 0]]),
            preferred=rows([[2, 1], [0, 0]]),
            segment=torch.zeros(2, dtype=torch.int64),
            numeric=torch.zeros(2, len(NUMERIC_FEATURES)),
        ),
        items=ItemBatch(torch.arange(1, 6), rows([1, 1, 2, 1, 2]), nothing, nothing, nothing, nothing),
        is_streamer=rows([False, False, False, True, True]),
        streamer_item=rows([0, 4, 5]),
        broadcasts=Broadcasts.none(),
    )


def maker(id_dropout: float = 0.0, history_dropout: float = 0.0) -> BatchMaker:
    return BatchMaker(data(), lambda distinct, _: torch.zeros(len(distinct)), Dropout(id_dropout, history_dropout))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_target_content_is_not_in_its_own_history() -> None:
    batch = maker().make(torch.tensor([0, 1]), generator())
    assert batch.users.contents.tolist() == [[0, 2], [3, 0]]
    assert batch.users.streamers.tolist() == [[1, 0], [2, 0]]


def test_the_target_streamer_is_in_neither_history_of_streamers() -> None:
    batch = maker().make(torch.tensor([2, 3]), generator())
    assert batch.users.streamers.tolist() == [[0, 0], [0, 0]]
    assert batch.users.preferred.tolist() == [[2, 0], [0, 0]]


def test_what_stands_in_a_history_is_masked_among_the_negatives() -> None:
    contents = maker().make(torch.tensor([0, 1]), generator())
    assert contents.draws.known.tolist() == [0, 1]  # both columns of the first row
    streamers = maker().make(torch.tensor([2, 3]), generator())
    assert sorted(streamers.draws.known.unique().tolist()) == [0, 1, 3]


def test_contents_compete_with_contents_and_streamers_with_streamers() -> None:
    made = maker()
    for rows in made.epoch(torch.arange(4), 4, generator()):
        groups = data().is_streamer[data().examples.item[rows]]
        assert len(set(groups.tolist())) == 1


def live_data() -> TrainingData:
    """Streamers 3 and 4 were live twice and once; all four examples watch them live."""
    rows, plain = torch.tensor, data()
    examples = replace(
        plain.examples, item=rows([3, 3, 4, 4]), second=rows([15, 35, 32, 38]), broadcast=rows([0, 1, 2, 2])
    )
    broadcasts = Broadcasts(item=rows([3, 3, 4]), begin=rows([10, 30, 30]), end=rows([20, 40, 37]))
    return replace(plain, examples=examples, broadcasts=broadcasts)


def test_a_broadcast_is_a_column_of_its_own_with_the_vector_of_its_streamer() -> None:
    made = BatchMaker(live_data(), lambda distinct, _: torch.zeros(len(distinct)), Dropout(0.0, 0.0))
    batch = made.make(torch.tensor([0, 1, 2]), generator())
    assert batch.items.item.tolist() == [4, 4, 5]
    assert batch.draws.column.tolist() == [0, 1, 2]
    airtime = batch.draws.airtime
    assert airtime is not None
    assert (airtime.begin.tolist(), airtime.end.tolist()) == ([10, 30, 30], [20, 40, 37])
    assert airtime.second.tolist() == [15, 35, 32]


def test_a_live_watch_competes_with_known_streamers_and_may_be_known_by_its_history() -> None:
    made = BatchMaker(live_data(), lambda distinct, _: torch.zeros(len(distinct)), Dropout(0.0, 0.0))
    batch = made.make(torch.tensor([0, 1, 2]), generator())
    assert len(batch.draws.known) == 0
    assert batch.users.preferred.tolist() == [[2, 1], [0, 0], [2, 1]]


def test_live_watches_are_batches_of_their_own() -> None:
    plain = live_data()
    mixed = replace(plain, examples=replace(plain.examples, broadcast=torch.tensor([0, -1, 2, -1])))
    made = BatchMaker(mixed, lambda distinct, _: torch.zeros(len(distinct)), Dropout(0.0, 0.0))
    batches = [sorted(rows.tolist()) for rows in made.epoch(torch.arange(4), 4, generator())]
    assert sorted(batches) == [[0, 2], [1, 3]]


def test_a_distinct_item_is_one_column_with_its_count_and_age() -> None:
    batch = maker().make(torch.tensor([0, 0, 1]), generator())
    assert torch.allclose(batch.draws.log_share.exp(), torch.tensor([2.0, 1.0]) / 2)  # of two others
    assert batch.draws.column.tolist() == [0, 0, 1]
    assert batch.items.age.tolist() == [1, 2]


def test_what_a_history_is_shown_without_is_no_negative_all_the_same() -> None:
    whole, thinned = (maker(history_dropout=share).make(torch.tensor([0, 1]), generator()) for share in (0.0, 0.999999))
    assert not any(rows.any() for rows in (thinned.users.contents, thinned.users.streamers, thinned.users.preferred))
    assert thinned.users.user.tolist() == [1, 2]
    assert torch.equal(thinned.draws.known, whole.draws.known)


def test_dropped_ids_become_unknown() -> None:
    batch = maker(id_dropout=0.999999).make(torch.tensor([0, 1]), generator())
    assert batch.items.item.tolist() == [0, 0]
    assert batch.users.user.tolist() == [0, 0]
    assert batch.items.streamer.tolist() == [1, 1]
