"""How often each item is drawn as a target: the q of the logQ correction."""

import torch
from torch import Tensor

_SMALLEST = 1e-12


def counted_log_q(items: Tensor, is_streamer: Tensor) -> Tensor:
    """Exact shares among the examples of the same group, as batches are drawn per group.

    Args:
        items: Item of each example, int64 [E].
        is_streamer: Group of each item, bool [I].

    Returns:
        float32 [I].
    """
    counts = torch.bincount(items, minlength=len(is_streamer)).to(torch.float64)
    totals = torch.where(is_streamer, counts[is_streamer].sum(), counts[~is_streamer].sum())
    return (counts / totals.clamp(min=1)).clamp(min=_SMALLEST).log().float()


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
