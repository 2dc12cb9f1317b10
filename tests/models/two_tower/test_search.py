import pytest
import torch
from torch import Tensor

from models.two_tower.search import ItemIndex, Method

NOTHING = torch.zeros(0, dtype=torch.int64)


def _vectors(count: int, seed: int, dim: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, dim, generator=generator), dim=1)


def _naive(users: Tensor, items: Tensor, count: int, excluded: Tensor) -> Tensor:
    """The best scores; which of two items that differ by a rounding comes first is nobody's to say."""
    scores = users @ items.T
    scores.view(-1)[excluded] = -torch.inf
    return scores.topk(count, dim=1).values


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("item_count", [9_000, 4_096, 40])
def test_a_search_finds_what_ranking_everything_finds(item_count: int, method: Method) -> None:
    users, items = _vectors(300, 1), _vectors(item_count, 2)
    # The best of every third user are excluded: what comes after them must be found.
    best = (users @ items.T).topk(10, dim=1).indices
    excluded = (torch.arange(300)[:, None] * item_count + best)[::3].reshape(-1).sort().values
    found = ItemIndex(items, method).best(users, 20, excluded)
    assert torch.allclose(found.score, _naive(users, items, 20, excluded), atol=1e-6)
    assert torch.allclose(found.score, (users @ items.T).gather(1, found.index), atol=1e-6)
    assert not torch.isin(torch.arange(300)[:, None] * item_count + found.index, excluded).any()


def test_lists_that_rounding_could_have_spoilt_are_searched_again() -> None:
    """Items in nearly one direction: 8 bits cannot tell them apart, what is proven is right nevertheless."""
    users, spread = _vectors(200, 1), _vectors(20_000, 2)
    items = torch.nn.functional.normalize(_vectors(1, 3) + 0.01 * spread, dim=1)
    naive = _naive(users, items, 10, NOTHING)
    unproven = ItemIndex(items, Method.COARSE, is_proven=False).best(users, 10)
    assert (naive - unproven.score).max() > 1e-4
    proven = ItemIndex(items, Method.COARSE).best(users, 10)
    assert torch.allclose(proven.score, naive, atol=1e-6)


def test_a_coarse_search_misses_next_to_nothing_and_scores_exactly() -> None:
    users, items = _vectors(400, 1), _vectors(20_000, 2)
    found = ItemIndex(items, Method.COARSE, is_proven=False).best(users, 100)
    exact = (users @ items.T).topk(100, dim=1).indices
    met = torch.zeros(400, 20_000, dtype=torch.bool).scatter_(1, exact, True).gather(1, found.index)
    assert met.double().mean() >= 0.9998
    assert torch.allclose(found.score, (users @ items.T).gather(1, found.index), atol=1e-6)


@pytest.mark.parametrize("method", Method)
def test_places_without_an_item_are_empty(method: Method) -> None:
    users, items = _vectors(2, 1), _vectors(3, 2)
    found = ItemIndex(items, method).best(users, 5, torch.tensor([0, 1, 2]))  # all of the first user's
    assert found.index[0].tolist() == [-1, -1, -1]
    assert sorted(found.index[1].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("method", Method)
def test_vectors_of_zeros_are_found_like_others(method: Method) -> None:
    assert sorted(ItemIndex(torch.zeros(3, 4), method).best(torch.zeros(1, 4), 3).index[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("method", [None, *Method])
def test_nobody_and_nothing_give_empty_lists(method: Method | None) -> None:
    assert ItemIndex(_vectors(3, 2), method).best(_vectors(0, 1), 5).index.shape == (0, 3)
    assert ItemIndex(_vectors(0, 2), method).best(_vectors(2, 1), 5).index.shape == (2, 0)
