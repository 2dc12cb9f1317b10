"""Exact masked top-K of every user over all items, in blocks.

Letters: U users, I items, K candidates, D dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.two_tower.batches import user_batch
from models.two_tower.towers import ItemBatch, TwoTower, UserBatch

_BLOCK_SCORES = 8_000_000
"""Scores of a block: 32 MB of float32, so that a block is still in the cache when its best are picked."""


@dataclass(frozen=True)
class TopK:
    """Best items of each user, best first: index into the items and score, [U, K]; -1 and -inf where there is none."""

    index: Tensor
    score: Tensor


class Retrieval:
    """Scores users against items whose vectors are computed once."""

    def __init__(self, model: TwoTower, items: ItemBatch, block_scores: int = _BLOCK_SCORES) -> None:
        self._model = model.eval()
        self._block_scores = block_scores
        with torch.inference_mode():
            self.vectors = model.items(items)
            # [I, D]

    @torch.inference_mode()
    def user_vectors(self, histories: UserBatch, user: Tensor) -> Tensor:
        """Vectors of users, [U, D]."""
        blocks = torch.arange(len(user), device=user.device).split(8_192)
        vectors = [self._model.users(user_batch(histories, rows, user[rows])) for rows in blocks]
        return torch.cat(vectors) if vectors else self.vectors.new_empty(0, self.vectors.shape[1])

    @torch.inference_mode()
    def best(self, users: Tensor, allowed: Tensor, count: int, excluded: Tensor | None = None) -> TopK:
        """The `count` best allowed items of each user.

        Args:
            users: Vectors [U, D].
            allowed: Index of the items that may be shown, int64; masked items are never scored.
            count: K; fewer come back as fewer columns where fewer items are allowed.
            excluded: Items that a user must not get, int64 [U, X], -1 where there is none.
        """
        count = min(count, len(allowed))
        items = self.vectors[allowed]
        rows = max(1, self._block_scores // max(len(allowed), 1))
        place = torch.full((len(self.vectors) + 1,), len(allowed), dtype=torch.int64, device=items.device)
        place[allowed] = torch.arange(len(allowed), device=items.device)
        parts = list(self._blocks(users, items, (count, rows), None if excluded is None else place[excluded]))
        if not parts or count == 0:
            empty = users.new_empty(len(users), 0)
            return TopK(empty.to(torch.int64), empty)
        scores, columns = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        index = torch.where(scores == -torch.inf, -1, allowed[columns])
        return TopK(index, scores)

    @staticmethod
    def _blocks(
        users: Tensor, items: Tensor, shape: tuple[int, int], excluded: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Scores and columns of each block of users, [rows, K] each."""
        count, rows = shape
        for start in range(0, len(users), rows):
            scores = users[start : start + rows] @ items.T
            # [rows, I]
            if excluded is not None:
                scores = _without(scores, excluded[start : start + rows])
            best = scores.topk(count, dim=1)
            yield best.values, best.indices


def _without(scores: Tensor, excluded: Tensor) -> Tensor:
    """Scores with each row's excluded columns at -inf; a column beyond the last one excludes nothing."""
    padded = torch.nn.functional.pad(scores, (0, 1))
    return padded.scatter_(1, excluded, -torch.inf)[:, :-1]
