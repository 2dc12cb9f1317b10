"""Row-wise Adagrad for embedding tables: one accumulator per row, and rows without a gradient are not touched."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


class RowWiseAdagrad(torch.optim.Optimizer):
    """w_r -= rate * g_r / sqrt(sum over steps of mean(g_r^2)), for each row r that has a gradient.

    A row's rate depends only on how often it was met, so rare rows keep large steps; memory is one float per row.
    Reference: Duchi et al., JMLR 2011; per row as in Mudigere et al., ISCA 2022.
    """

    def __init__(self, tables: Iterable[nn.Parameter], learning_rate: float, epsilon: float = 1e-8) -> None:
        super().__init__(tables, {"learning_rate": learning_rate, "epsilon": epsilon})
        for group in self.param_groups:
            for table in group["params"]:
                self.state[table]["sum"] = torch.zeros(table.shape[0], dtype=table.dtype, device=table.device)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    _update(table, self.state[table]["sum"], group["learning_rate"], group["epsilon"])
        return loss


def _update(table: Tensor, accumulated: Tensor, learning_rate: float, epsilon: float) -> None:
    assert table.grad is not None  # noqa: S101  narrowed for the type checker; the caller has looked
    if not table.grad.is_sparse:
        accumulated += table.grad.square().mean(dim=1)
        scale = learning_rate / (accumulated.sqrt() + epsilon)
        table -= scale[:, None] * table.grad
        return
    gradient = table.grad.coalesce()
    rows, values = gradient.indices()[0], gradient.values()
    accumulated.index_add_(0, rows, values.square().mean(dim=1))
    scale = learning_rate / (accumulated[rows].sqrt() + epsilon)
    table.index_add_(0, rows, -scale[:, None] * values)
