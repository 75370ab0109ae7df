"""A classifier that is fixed to a simplex equiangular tight frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerscope.errors import ModelError


def simplex_head(width: int, num_classes: int) -> nn.Linear:
    """Return a frozen, bias-free ``width → num_classes`` layer whose rows are a simplex ETF."""
    head = nn.Linear(width, num_classes, bias=False)
    head.weight.requires_grad_(False)
    # Computed on the CPU also under ``torch.device("meta")``, where ``copy_`` only checks shapes.
    with torch.device("cpu"):
        rows = simplex_rows(num_classes, width)
    head.weight.copy_(rows)
    return head


def simplex_rows(num_classes: int, width: int) -> Tensor:
    """Unit vectors w_c with ⟨w_c, w_d⟩ = -1/(K-1) for c ≠ d, in a random orientation.

    W = √(K/(K-1)) H Qᵀ, where the columns of H (K, K-1) are an orthonormal basis of the vectors orthogonal
    to 1 and those of Q (D, K-1) are random orthonormal.

    Parameters
    ----------
    num_classes : int
        K.
    width : int
        D.

    Returns
    -------
    Tensor
        (K, D), float32.

    Raises
    ------
    ModelError
        D < K - 1: no simplex fits.
    """
    if num_classes < 2 or width < num_classes - 1:
        raise ModelError(
            f"a simplex ETF of {num_classes} classes does not fit {width} dimensions: it takes at least two "
            f"classes and {num_classes - 1} dimensions. Choose a wider size, or a name without _sharedweight."
        )
    ones_first = torch.eye(num_classes, dtype=torch.float64)
    ones_first[:, 0] = 1
    basis = torch.linalg.qr(ones_first).Q[:, 1:]  # (K, K-1)
    directions = torch.linalg.qr(torch.randn(width, num_classes - 1, dtype=torch.float64)).Q  # (D, K-1)
    scale = (num_classes / (num_classes - 1)) ** 0.5
    return (scale * basis @ directions.T).float()
