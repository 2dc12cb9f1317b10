import numpy as np
import pytest

from bandit.beliefs import Exploration
from bandit.linear import LinearEpoch, LinearPrior, update
from bandit.outcomes import Outcomes
from contracts.errors import PayloadError

PRIOR = LinearPrior(0.1, 2.0, 0.25)
START = LinearEpoch.first(PRIOR, 2, Exploration())
SEEN = np.array([[1.0, 0.0], [1.0, 2.0]])


def outcomes(features: np.ndarray | None = SEEN) -> Outcomes:
    return Outcomes(["item:1", "item:2"], np.array([True, False]), np.array([0.0, 3_600.0]), features=features)


def test_weights_are_those_of_ridge_regression_with_fading_rows() -> None:
    epoch = update(update(START, outcomes(), 3_600_000, 3_600.0), outcomes(None), 7_200_000, 3_600.0)
    counts = np.array([0.25, 0.5])
    precision = 2.0 * np.eye(2) + (SEEN * counts[:, None]).T @ SEEN / 0.25
    expected = np.linalg.solve(precision, (SEEN * counts[:, None]).T @ np.array([0.9, -0.1]) / 0.25)
    mean, root = epoch.weights()
    assert mean == pytest.approx(expected)
    assert root @ root.T == pytest.approx(np.linalg.inv(precision))


def test_an_epoch_reads_back_exactly() -> None:
    epoch = update(START, outcomes(), 3_600_001, 1_000.0)
    assert LinearEpoch.from_bytes(epoch.to_bytes()) == epoch
    assert LinearEpoch.from_bytes(START.to_bytes()) == START


GOOD = START.to_bytes()


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"", "0 bytes, none first"),
        (b"\x01" + GOOD[1:], "01 first, are no linear bandit state"),
        (GOOD[:30], "30 bytes, 41 first"),
        (GOOD + b"x", "where its header says 99"),
        (GOOD[:-8] + np.float64("nan").tobytes(), "it is corrupt"),
    ],
)
def test_a_corrupt_state_or_another_kind_is_named(packed: bytes, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        LinearEpoch.from_bytes(packed)
