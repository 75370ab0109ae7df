"""Eigenvalues of a positive operator, and what rounding makes of those that are 0."""

from __future__ import annotations

import torch
from torch import Tensor


def cleared(values: Tensor) -> Tensor:
    """Computed eigenvalues (…, n) of positive matrices, descending, none negative, in float64.

    Negative ones are set to 0. In float32, where thousands of small errors add up, the smallest positive ones
    that together make up for the negative ones go with them: the trace stays what it is.

    Parameters
    ----------
    values : Tensor (…, n)
        Ascending, in the precision in which they were computed.
    """
    positive = values.double().clamp(min=0.0)
    if values.dtype == torch.float32:
        missing = -values.double().clamp(max=0.0).sum(dim=-1, keepdim=True)
        positive = torch.where(positive.cumsum(dim=-1) > missing, positive, 0.0)
    return positive.flip(-1)


def rounding_floor(values: Tensor) -> Tensor:
    r"""What eigenvalues (…, n), ascending, have to exceed to be no mere rounding of 0; (…,), float64.

    :math:`\max(n\epsilon\lambda_1, 2|\lambda_n|)` for a negative :math:`\lambda_n`, which shows how large
    rounding is.
    """
    if not values.shape[-1]:
        return values.new_zeros(values.shape[:-1]).double()
    least, largest = values[..., 0].double(), values[..., -1].double()
    return torch.maximum(values.shape[-1] * torch.finfo(values.dtype).eps * largest, -2.0 * least)
