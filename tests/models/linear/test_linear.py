"""Against the formulas in plain numpy on a small matrix."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from models.linear.ease import ease
from models.linear.interactions import interactions
from models.linear.neighbours import item_neighbours
from models.linear.spectral import SpectralFilter

USERS, ITEMS = 30, 12


@pytest.fixture(scope="module")
def met() -> csr_array:
    rng = np.random.default_rng(1)
    dense = (rng.random((USERS, ITEMS)) < 0.3).astype(np.float32)
    dense[:, ITEMS - 1] = 0  # nobody met the last item
    return csr_array(dense)


def test_of_a_pair_that_is_there_twice_the_most_counts() -> None:
    made = interactions(np.array([1, 0, 1]), np.array([2, 0, 2]), np.array([0.5, 1.0, 0.25]), (2, 3))
    assert made.toarray().tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.5]]


def test_ease_is_the_ridge_regression_of_each_item_on_the_others(met: csr_array) -> None:
    dense, regularization = met.toarray().astype(np.float64), 3.0
    weights = ease(met, regularization).numpy()
    for item in range(ITEMS):
        others = np.delete(np.arange(ITEMS), item)
        design = dense[:, others]
        ridge = np.linalg.solve(design.T @ design + regularization * np.eye(len(others)), design.T @ dense[:, item])
        assert weights[others, item] == pytest.approx(ridge, abs=1e-5)
    assert not weights.diagonal().any()


def test_neighbours_are_the_largest_cosines_of_the_others(met: csr_array) -> None:
    dense = met.toarray()[:, : ITEMS - 1]
    cosine = dense.T @ dense / np.outer(*[np.linalg.norm(dense, axis=0)] * 2)
    np.fill_diagonal(cosine, 0)
    found = item_neighbours(met, 3).numpy()
    for item in range(ITEMS - 1):
        kept = np.flatnonzero(found[:, item])
        assert len(kept) <= 3
        assert found[kept, item] == pytest.approx(cosine[kept, item], abs=1e-6)
        assert found[:, item].sum() == pytest.approx(np.sort(cosine[:, item])[-3:].sum(), abs=1e-5)
    assert not found[:, ITEMS - 1].any()


def test_the_spectral_filter_is_its_formula(met: csr_array) -> None:
    filtered = SpectralFilter.of(met, rank=4, weight=0.3)
    dense = met.toarray().astype(np.float64)
    user_degree, item_degree = dense.sum(axis=1), dense.sum(axis=0)
    of_item = np.where(item_degree > 0, np.maximum(item_degree, 1e-9) ** -0.5, 0)
    normalized = np.maximum(user_degree, 1e-9)[:, None] ** -0.5 * dense * of_item
    vectors = np.linalg.svd(normalized)[2][:4]
    low_pass = (dense * of_item) @ vectors.T @ vectors * np.sqrt(item_degree)
    expected = dense @ normalized.T @ normalized + 0.3 * low_pass
    assert filtered.scores(met) == pytest.approx(expected, abs=1e-4)
    assert torch.from_numpy(filtered.scores(met[[3]])[0]).numpy() == pytest.approx(expected[3], abs=1e-4)
