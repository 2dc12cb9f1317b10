"""Optimisers: row-wise Adagrad for embedding tables, Adam for the few dense layers.

They are not `torch.optim` ones: making any of those imports torch's compiler, 1.3 s of CPU that a daily run feels.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

State = dict[str, list[Tensor]]


class RowWiseAdagrad:
    """w_r -= rate * g_r / sqrt(sum over steps of mean(g_r^2)), for each row r that has a gradient.

    A row's rate depends only on how often it was met, so rare rows keep large steps; memory is one float per row.
    Reference: Duchi et al., JMLR 2011; per row as in Mudigere et al., ISCA 2022.

    Args:
        tables: By name, [rows, D].
    """

    def __init__(self, tables: Mapping[str, Tensor], learning_rate: float, epsilon: float = 1e-8) -> None:
        self._tables = dict(tables)
        self._learning_rate, self._epsilon = learning_rate, epsilon
        self._sums = {name: torch.zeros(len(table), device=table.device) for name, table in self._tables.items()}

    @torch.no_grad()
    def step(self, name: str, gradient: Tensor, rows: Tensor | None = None) -> None:
        """Move a table.

        Args:
            gradient: Of the rows, or of the whole table.
            rows: Distinct rows of the table, int64.
        """
        table, sums = self._tables[name], self._sums[name]
        met = gradient.square().mean(dim=1)
        if rows is None:
            table.addcmul_(gradient, self._scale(sums.add_(met)))
            return
        sums.index_add_(0, rows, met)
        table.index_add_(0, rows, gradient * self._scale(sums[rows]))

    def _scale(self, sums: Tensor) -> Tensor:
        return (-self._learning_rate / (sums.sqrt() + self._epsilon))[:, None]

    def state(self) -> State:
        return {"sums": list(self._sums.values())}

    def restore(self, state: State) -> None:
        self._sums = dict(zip(self._tables, state["sums"], strict=True))


class Adam:
    """Adam as published, without weight decay. Reference: Kingma and Ba, ICLR 2015."""

    _DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self._learning_rate = learning_rate
        self._steps = torch.zeros(())
        self._means = [torch.zeros_like(each) for each in self.parameters]
        self._squares = [torch.zeros_like(each) for each in self.parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move each parameter by its gradient."""
        self._steps += 1
        steps = int(self._steps)
        rate = self._learning_rate / (1 - self._DECAY**steps)
        moved = zip(self.parameters, gradients, self._means, self._squares, strict=True)
        for parameter, gradient, mean, square in moved:
            mean.lerp_(gradient, 1 - self._DECAY)
            square.lerp_(gradient.square(), 1 - self._SQUARE_DECAY)
            scale = (square / (1 - self._SQUARE_DECAY**steps)).sqrt() + self._EPSILON
            parameter.addcdiv_(mean, scale, value=-rate)

    def state(self) -> State:
        return {"steps": [self._steps], "means": self._means, "squares": self._squares}

    def restore(self, state: State) -> None:
        self._steps = state["steps"][0].cpu()
        self._means, self._squares = state["means"], state["squares"]
