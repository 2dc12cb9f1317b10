"""Optimisers: row-wise Adagrad for embedding tables, Adam for the few dense layers.

They are not `torch.optim` ones: making any of those imports torch's compiler, 1.3 s of CPU that a daily run feels.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

State = dict[str, list[Tensor]]


class RowWiseAdagrad:
    """w_r -= rate * g_r / sqrt(sum over steps of mean(g_r^2)), for each row r that has a gradient.

    A row's rate depends only on how often it was met, so rare rows keep large steps; memory is one float per row.
    Reference: Duchi et al., JMLR 2011; per row as in Mudigere et al., ISCA 2022.
    """

    def __init__(self, tables: Iterable[Tensor], learning_rate: float, epsilon: float = 1e-8) -> None:
        self._tables = list(tables)
        self._learning_rate, self._epsilon = learning_rate, epsilon
        self._sums = [torch.zeros(len(table), dtype=table.dtype, device=table.device) for table in self._tables]

    def zero_grad(self) -> None:
        for table in self._tables:
            table.grad = None

    @torch.no_grad()
    def step(self) -> None:
        for table, sums in zip(self._tables, self._sums, strict=True):
            if table.grad is None:
                continue
            if table.grad.is_sparse:
                self._step_rows(table, sums, table.grad.coalesce())
            else:
                sums.add_(table.grad.square().mean(dim=1))
                table.sub_((self._learning_rate / (sums.sqrt() + self._epsilon))[:, None] * table.grad)

    def _step_rows(self, table: Tensor, sums: Tensor, gradient: Tensor) -> None:
        rows, values = gradient.indices()[0], gradient.values()
        sums.index_add_(0, rows, values.square().mean(dim=1))
        scale = self._learning_rate / (sums[rows].sqrt() + self._epsilon)
        table.index_add_(0, rows, -scale[:, None] * values)

    def state(self) -> State:
        return {"sums": self._sums}

    def restore(self, state: State) -> None:
        self._sums = state["sums"]


class Adam:
    """Adam as published, without weight decay. Reference: Kingma and Ba, ICLR 2015."""

    _DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self._parameters = list(parameters)
        self._learning_rate = learning_rate
        self._steps = torch.zeros(())
        self._means = [torch.zeros_like(each) for each in self._parameters]
        self._squares = [torch.zeros_like(each) for each in self._parameters]

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        self._steps += 1
        steps = int(self._steps)
        rate = self._learning_rate / (1 - self._DECAY**steps)
        for parameter, mean, square in zip(self._parameters, self._means, self._squares, strict=True):
            if parameter.grad is None:
                continue
            mean.lerp_(parameter.grad, 1 - self._DECAY)
            square.lerp_(parameter.grad.square(), 1 - self._SQUARE_DECAY)
            scale = (square / (1 - self._SQUARE_DECAY**steps)).sqrt() + self._EPSILON
            parameter.addcdiv_(mean, scale, value=-rate)

    def state(self) -> State:
        return {"steps": [self._steps], "means": self._means, "squares": self._squares}

    def restore(self, state: State) -> None:
        self._steps = state["steps"][0].cpu()
        self._means, self._squares = state["means"], state["squares"]
