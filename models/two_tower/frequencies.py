"""How often each item is drawn as a target: the q of the logQ correction."""

import torch
from torch import Tensor

_SMALLEST = 1e-12


def counted_log_q(draws: Tensor, group_of: Tensor) -> Tensor:
    """Exact shares among the examples of the same group, as batches are drawn per group.

    Args:
        draws: What each example draws, int64 [E].
        group_of: Group of everything that can be drawn, from 0, int64 [I].

    Returns:
        float32 [I].
    """
    counts = torch.bincount(draws, minlength=len(group_of)).to(torch.float64)
    totals = torch.zeros(int(group_of.max()) + 1, dtype=torch.float64).index_add_(0, group_of, counts)
    return (counts / totals[group_of].clamp(min=1)).clamp(min=_SMALLEST).log().float()


def uncorrected_log_q(count: int, batch_size: int) -> Tensor:
    """What makes every draw count 1, the plain softmax over a batch: scores then say how much more often a user watches
    an item than everybody does, and popularity has to be brought from elsewhere.

    Returns:
        float32 [count].
    """
    return -torch.full((count,), float(max(batch_size - 1, 1))).log()


class StreamingFrequency:
    """Frequencies learnt from the batches alone, for streams whose mix drifts.

    Keeps, per item, the step it was last drawn and a moving average of the steps between draws; the chance of a draw in
    a step is the inverse. Reference: Yi et al., RecSys 2019, algorithm 2.
    """

    def __init__(self, items: int, rate: float = 0.05, first_interval: float = 100.0) -> None:
        self._rate = rate
        self.step = 0
        self.last = torch.zeros(items)
        self.interval = torch.full((items,), first_interval)

    def update(self, distinct: Tensor) -> None:
        """Note one batch's distinct items."""
        self.step += 1
        gap = self.step - self.last[distinct]
        self.interval[distinct] += self._rate * (gap - self.interval[distinct])
        self.last[distinct] = float(self.step)

    def log_q(self, batch_size: int) -> Tensor:
        """Log share of a draw: an item is met in a step with chance 1 - (1 - q)^B.

        Returns:
            float32 [I].
        """
        met = (1.0 / self.interval.double()).clamp(max=1 - 1e-6)
        share = -torch.expm1(torch.log1p(-met) / batch_size)
        return share.clamp(min=_SMALLEST).log().float()

    def state(self) -> dict[str, Tensor]:
        return {"step": torch.tensor(self.step), "last": self.last, "interval": self.interval}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.step, self.last, self.interval = int(state["step"]), state["last"], state["interval"]
