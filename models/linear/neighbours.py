"""Item-kNN: cosine of the users of two items. Letters: U users, I items."""

import torch
from scipy.sparse import csr_array
from torch import Tensor


def item_neighbours(met: csr_array, count: int) -> Tensor:
    """Cosines of each item's most similar others, others 0.

    Args:
        met: What each user met, [U, I].
        count: Neighbours of an item that count.

    Returns:
        float32 [I, I]; column j holds what the met items say of item j.
    """
    gram = torch.from_numpy((met.T @ met).toarray()).float()
    norms = gram.diagonal().sqrt().clamp(min=torch.finfo(torch.float32).tiny)
    cosine = gram / norms[:, None] / norms
    cosine.fill_diagonal_(0.0)
    best = cosine.topk(min(count, len(cosine)), dim=0)
    return torch.zeros_like(cosine).scatter_(0, best.indices, best.values)
