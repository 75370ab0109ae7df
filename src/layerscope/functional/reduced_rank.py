"""The best linear map through a few dimensions: where latent networks start."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.principal import orientation

RIDGE = 1e-4  # share of the inputs' largest variance; directions below it are not told from noise
NOTHING = 1e-9  # share of the leading dimension's variance below which one carries nothing


def reduced_rank_regression(
    inputs: Tensor, targets: Tensor, weights: Tensor, rank: int
) -> tuple[Tensor, Tensor]:
    r"""The encoder A and decoder B that minimise :math:`\langle\sum_j w_j(xAB-t)_j^2\rangle`.

    With the covariances S, :math:`R=(S_{xx}+\epsilon)^{-1}S_{xt}W^{1/2}` and the leading eigenvectors V of
    :math:`W^{1/2}S_{tx}R`, :math:`A=RV` and :math:`B=V^\top W^{-1/2}`, scaled so that the largest standard
    deviation of a latent is 1.

    Parameters
    ----------
    inputs : Tensor (n, c)
    targets : Tensor (n, o)
        Centred, as the inputs.
    weights : Tensor (o,)
        Positive.
    rank : int
        Dimensions between the two.

    Returns
    -------
    encoder : Tensor (c, m), float64
        m of ``rank`` dimensions that carry something, by what they explain, descending.
    decoder : Tensor (m, o), float64

    References
    ----------
    Izenman (1975), Reduced-rank regression for the multivariate linear model, J. Multivariate Analysis 5.
    """
    points, roots = inputs.double(), weights.double().sqrt()
    own = points.T @ points / len(points)
    cross = points.T @ (targets.double() * roots) / len(points)
    largest = own.diagonal().max()
    ridge = RIDGE * torch.where(largest > 0, largest, 1.0)
    regression = torch.linalg.solve(own + ridge * torch.eye(len(own)).to(own), cross)
    explained, axes = torch.linalg.eigh(cross.T @ regression)
    kept = explained.flip(0)[:rank] > NOTHING * explained[-1].clamp(min=0)
    leading = axes.flip(1)[:, :rank][:, kept]
    leading = leading * orientation(leading)
    encoder = regression @ leading
    size = float((points @ encoder).square().mean(dim=0).max().sqrt()) if encoder.numel() else 1.0
    return encoder / size, leading.T / roots * size
