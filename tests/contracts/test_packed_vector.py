import numpy as np
import pytest

from contracts.errors import PayloadError
from contracts.packed_vector import pack_vectors, unpack_vector


def units(count: int, dim: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize("dim", [1, 2, 16, 64, 200])
def test_a_vector_comes_back_with_its_direction_and_length(dim: int) -> None:
    vectors = units(50, dim)
    found = np.stack([unpack_vector(packed, dim) for packed in pack_vectors(vectors).tolist()])
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert ((found * vectors).sum(axis=1) > 0.9998).all()


def test_scores_of_64_dimensions_are_off_by_a_thousandth() -> None:
    users, items = units(200, 64), units(200, 64, seed=1)
    found = np.stack([unpack_vector(packed, 64) for packed in pack_vectors(users).tolist()])
    assert np.abs(found @ items.T - users @ items.T).max() < 5e-3
    assert np.abs(found @ items.T - users @ items.T).mean() < 1e-3


def test_a_vector_takes_a_byte_a_dimension() -> None:
    assert pack_vectors(units(3, 64)).sizes().tolist() == [64] * 3
    assert pack_vectors(np.empty((0, 64), np.float32)).tolist() == []


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_vector_without_a_direction_is_not_packed(bad: float) -> None:
    with pytest.raises(PayloadError, match="all zero or not finite"):
        pack_vectors(np.array([[1.0, 0.0], [bad, bad]], np.float32))


@pytest.mark.parametrize(
    ("packed", "message"),
    [(b"", "0 bytes where the generation says 4"), (b"\x01" * 5, "5 bytes"), (b"\0" * 4, "nothing but zeros")],
)
def test_a_corrupt_vector_is_named(packed: bytes, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        unpack_vector(packed, 4)
