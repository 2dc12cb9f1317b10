"""Processes that train one model together: `torchrun --nproc-per-node N -m models train ...`.

All hold the same tables and cut the same batches from the same seeds; each computes the loss of its part of a batch's
examples against all of the batch's items, and the gradients are added up. A batch then has the negatives that it has in
one process, and the result is the same but for the order of additions.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """Which of how many this one is, from 0."""

    rank: int
    count: int

    def rows(self, size: int) -> slice:
        """This process's part of a batch of some size."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def summed(self, values: Sequence[Tensor]) -> list[Tensor]:
        """The sums of all processes' values, the same in all."""
        if self.count == 1:
            return list(values)
        flat = torch.cat([value.reshape(-1) for value in values])
        distributed.all_reduce(flat)
        parts = flat.split([value.numel() for value in values])
        return [part.view_as(value) for part, value in zip(parts, values, strict=True)]


ALONE: Final = Processes(0, 1)


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that torchrun started, by NCCL where there are GPUs and else by gloo; without torchrun this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
