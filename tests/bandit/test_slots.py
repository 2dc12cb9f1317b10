import hashlib

import numpy as np
import pytest

from bandit.arms import ArmSet
from bandit.slots import SlotTable, words


def test_numbers_are_the_words_of_shake_over_the_seed() -> None:
    digest = hashlib.shake_128((5).to_bytes(8, "little")).digest(8)
    assert words(5, 2).tolist() == [int.from_bytes(digest[at : at + 4], "little") for at in (0, 4)]
    assert words(5, 40)[:2].tolist() == words(5, 2).tolist()
    assert words(5, 0).tolist() == []


def test_numbers_are_uniform() -> None:
    numbers = np.array([words(seed, 10) for seed in range(20_000)]) / 2**32
    assert numbers.mean(axis=0) == pytest.approx(np.full(10, 0.5), abs=0.01)
    assert np.bincount((10 * numbers.ravel()).astype(int)) / 200_000 == pytest.approx(np.full(10, 0.1), abs=0.004)


def test_an_arm_without_a_chance_is_never_chosen() -> None:
    table = SlotTable(lambda available: np.array([0.0, 0.5, 0.0, 0.5, 0.0]) * available, 5)
    five = ArmSet(tuple("abcde"), (9,) * 5)
    assert {arm for seed in range(200) for arm in table.fill(five.stock, np.arange(5), 9, seed)} == {1, 3}
