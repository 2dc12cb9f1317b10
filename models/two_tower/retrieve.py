"""Masked top-K of every user over the items that may be shown, exact up to ties (`search`).

Letters: U users, I items, D dimensions, P pairs.
"""

import torch
from torch import Tensor

from models.two_tower.batches import user_batch
from models.two_tower.search import ItemIndex, TopK
from models.two_tower.towers import ItemBatch, TwoTower, UserBatch


class Retrieval:
    """Scores users against items whose vectors are computed once."""

    def __init__(self, model: TwoTower, items: ItemBatch) -> None:
        self._model = model.eval()
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
    def best(self, users: Tensor, allowed: Tensor, count: int, excluded: tuple[Tensor, Tensor] | None = None) -> TopK:
        """The `count` best allowed items of each user, as indices into all items.

        Args:
            users: Vectors [U, D].
            allowed: Index of the items that may be shown, ascending, int64; others are never scored.
            count: K; fewer come back as fewer columns where fewer items are allowed.
            excluded: Rows of users and index of the items that each must not get, int64 [P] each.
        """
        pairs = None if excluded is None else self._pairs(*excluded, allowed)
        found = ItemIndex(self.vectors[allowed]).best(users, count, pairs)
        index = torch.where(found.index < 0, -1, allowed[found.index]) if len(allowed) else found.index
        return TopK(index, found.score)

    def _pairs(self, row: Tensor, item: Tensor, allowed: Tensor) -> Tensor:
        """Excluded pairs in terms of the allowed items, as the index wants them; of others none is needed."""
        place = torch.full((len(self.vectors),), -1, device=allowed.device)
        place[allowed] = torch.arange(len(allowed), device=allowed.device)
        column = place[item]
        return (row * len(allowed) + column)[column >= 0].sort().values
