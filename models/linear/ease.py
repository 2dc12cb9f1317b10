"""EASE: the item-item weights of the best linear autoencoder without self-similarity, in closed form.

Memory and time grow with the square and the cube of the items: for catalogues of some ten thousand.
Reference: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019. Letters: U users, I items.
"""

import torch
from scipy.sparse import csr_array
from torch import Tensor


def ease(met: csr_array, regularization: float) -> Tensor:
    """Weights B: a user's scores are their row times B.

    Args:
        met: What each user met and what it is worth, [U, I].
        regularization: Added to the diagonal of the Gram matrix, in units of a user who met an item.

    Returns:
        float32 [I, I], its diagonal 0.
    """
    gram = torch.from_numpy((met.T @ met).toarray()).float()
    gram.diagonal().add_(regularization)
    precision = torch.cholesky_inverse(torch.linalg.cholesky(gram))
    weights = precision / -precision.diagonal()
    weights.fill_diagonal_(0.0)
    return weights
