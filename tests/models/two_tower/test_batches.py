from dataclasses import replace

import torch

from models.two_tower.batches import BatchMaker, Broadcasts, Chances, Examples, Sampling, TrainingData
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
    return made_of(data(), Sampling(id_dropout, history_dropout))


def made_of(some: TrainingData, sampling: Sampling) -> BatchMaker:
    return BatchMaker(some, lambda distinct, _: torch.zeros(len(distinct)), sampling)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def chances() -> Chances:
    return Chances(generator(), generator())


def test_the_target_content_is_not_in_its_own_history() -> None:
    batch = maker().make(torch.tensor([0, 1]), chances())
    assert batch.users.contents.tolist() == [[0, 2], [3, 0]]
    assert batch.users.streamers.tolist() == [[1, 0], [2, 0]]


def test_the_target_streamer_is_in_neither_history_of_streamers() -> None:
    batch = maker().make(torch.tensor([2, 3]), chances())
    assert batch.users.streamers.tolist() == [[0, 0], [0, 0]]
    assert batch.users.preferred.tolist() == [[2, 0], [0, 0]]


def test_what_stands_in_a_history_is_masked_among_the_negatives() -> None:
    contents = maker().make(torch.tensor([0, 1]), chances())
    assert contents.draws.known.tolist() == [0, 1]  # both columns of the first row
    streamers = maker().make(torch.tensor([2, 3]), chances())
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
    made = made_of(live_data(), Sampling())
    batch = made.make(torch.tensor([0, 1, 2]), chances())
    assert batch.items.item.tolist() == [4, 4, 5]
    assert batch.draws.column.tolist() == [0, 1, 2]
    airtime = batch.draws.airtime
    assert airtime is not None
    assert (airtime.begin.tolist(), airtime.end.tolist()) == ([10, 30, 30], [20, 40, 37])
    assert airtime.second.tolist() == [15, 35, 32]


def test_a_live_watch_competes_with_known_streamers_and_may_be_known_by_its_history() -> None:
    made = made_of(live_data(), Sampling())
    batch = made.make(torch.tensor([0, 1, 2]), chances())
    assert len(batch.draws.known) == 0
    assert batch.users.preferred.tolist() == [[2, 1], [0, 0], [2, 1]]


def test_live_watches_are_batches_of_their_own() -> None:
    plain = live_data()
    mixed = replace(plain, examples=replace(plain.examples, broadcast=torch.tensor([0, -1, 2, -1])))
    made = made_of(mixed, Sampling())
    batches = [sorted(rows.tolist()) for rows in made.epoch(torch.arange(4), 4, generator())]
    assert sorted(batches) == [[0, 2], [1, 3]]


def test_a_distinct_item_is_one_column_with_its_count_and_age() -> None:
    batch = maker().make(torch.tensor([0, 0, 1]), chances())
    assert torch.allclose(batch.draws.log_share.exp(), torch.tensor([2.0, 1.0]) / 2)  # of two others
    assert batch.draws.column.tolist() == [0, 0, 1]
    assert batch.items.age.tolist() == [1, 2]


def test_what_a_history_is_shown_without_is_no_negative_all_the_same() -> None:
    whole, thinned = (maker(history_dropout=share).make(torch.tensor([0, 1]), chances()) for share in (0.0, 0.999999))
    assert not any(rows.any() for rows in (thinned.users.contents, thinned.users.streamers, thinned.users.preferred))
    assert thinned.users.user.tolist() == [1, 2]
    assert torch.equal(thinned.draws.known, whole.draws.known)


def test_dropped_ids_become_unknown() -> None:
    batch = maker(id_dropout=0.999999).make(torch.tensor([0, 1]), chances())
    assert batch.items.item.tolist() == [0, 0]
    assert batch.users.user.tolist() == [0, 0]
    assert batch.items.streamer.tolist() == [1, 1]


def timed_data() -> TrainingData:
    """As `data`: contents 0 to 2 came at 100, 200 and at an unknown time; the streamers have always been there."""
    plain, rows = data(), torch.tensor
    examples = replace(plain.examples, second=rows([150, 250, 150, 0]))
    return replace(plain, examples=examples, published=rows([100, 200, 0, 0, 0]))


def test_uniform_negatives_are_columns_of_the_same_kind() -> None:
    contents, streamers = (
        made_of(timed_data(), Sampling(uniform=64)).make(torch.tensor(rows), chances()) for rows in ([0, 1], [2, 3])
    )
    assert contents.items.item.tolist() == [1, 2, 3]
    assert streamers.items.item.tolist() == [4, 5]
    assert contents.draws.column.tolist() == [0, 1]


def test_what_had_not_been_published_then_is_no_uniform_negative() -> None:
    made = made_of(timed_data(), Sampling(uniform=400))
    early = made.make(torch.tensor([0, 0]), chances())
    assert early.items.item.tolist() == [1, 3]
    # Of the examples of contents all came after the first content, half after the second.
    assert made._uniform is not None
    assert torch.allclose(made._uniform.expected, torch.tensor([1, 0.5, 1, 1.5, 1.5]) * 400 / 3)


def test_uniform_negatives_are_drawn_as_often_as_they_are_expected_to_be() -> None:
    """The shares of what is drawn are 1 in the mean: an unbiased estimate, also of what came late."""
    made = made_of(timed_data(), Sampling(uniform=300))
    assert made._uniform is not None
    seconds, chance, batches = torch.tensor([150, 250]), generator(), 200
    drawn = [torch.bincount(made._uniform.draw(0, seconds, chance).item, minlength=3) for _ in range(batches)]
    mean = torch.stack(drawn).double().mean(dim=0)
    assert torch.allclose(mean, made._uniform.expected[:3].double(), rtol=0.03)


def test_a_uniform_negative_has_the_age_that_it_had_when_an_example_was_watched() -> None:
    hour = 3_600
    plain, rows = data(), torch.tensor
    examples = replace(plain.examples, second=rows([100 * hour, 100 * hour, 1, 1]))
    some = replace(plain, examples=examples, published=rows([1, 1, 98 * hour, 0, 0]))
    batch = made_of(some, Sampling(uniform=64)).make(torch.tensor([0, 0]), chances())
    ages = dict(zip(batch.items.item.tolist(), batch.items.age.tolist(), strict=True))
    assert ages[2] == 8  # 99 hours and some: from 96 hours on
    assert ages[3] == 2  # two hours: from one hour on


def test_what_was_shown_and_not_watched_is_a_negative_of_its_example_alone() -> None:
    some = replace(data(), skipped=torch.tensor([2, -1, -1, -1]))
    batch = made_of(some, Sampling(skipped_weight=3.0)).make(torch.tensor([0, 1]), chances())
    assert batch.draws.skipped is not None
    assert batch.draws.skipped.column.tolist() == [2, -1]
    assert batch.draws.log_share[2] == -torch.inf
    assert batch.draws.skipped.weight == 3.0  # of two draws that weigh 1 each
    assert made_of(some, Sampling()).make(torch.tensor([0, 1]), chances()).draws.skipped is None
