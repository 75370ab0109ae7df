"""What every measure asks of points, matrices and labels."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def check_points(points: Tensor, what: str = "points") -> None:
    """Refuse what is not a finite matrix of real numbers.

    Parameters
    ----------
    points : Tensor
    what : str
        What a message calls them.

    Raises
    ------
    ValueError
        Not (n, D), or entries that are not finite, with their number and the first row.
    """
    if points.ndim != 2:
        raise ValueError(f"{what} must be a matrix (n, D), not a tensor of shape {tuple(points.shape)}")
    if bool(points.sum().isfinite()):
        return  # the usual case, in one pass
    bad = ~points.isfinite()
    if bool(bad.any()):
        row = int(bad.any(dim=1).int().argmax())
        raise ValueError(f"{int(bad.sum())} entries of the {what} are not finite, first in row {row}")


def check_labels(labels: Tensor, count: int, classes: int | None = None, what: str = "labels") -> None:
    """Refuse labels that are not one integer for each of ``count`` points, in 0 … ``classes`` - 1 if given.

    Raises
    ------
    ValueError
        Another shape, labels that are not integers, or one outside.
    """
    if labels.shape != (count,):
        raise ValueError(f"{count} points need {what} of shape ({count},), not {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"{what} must be integers, not {labels.dtype}: bin a continuous variable with "
            "equal_width_codes, or cluster vectors with cluster_inputs"
        )
    if classes is not None:
        check_range(labels, classes, what)


def check_range(labels: Tensor, classes: int, what: str = "labels") -> None:
    """Refuse integer labels outside 0 … ``classes`` - 1.

    Raises
    ------
    ValueError
    """
    if not labels.numel():
        return
    if labels.device.type == "cpu":
        numbers = labels.numpy()
        if numbers.dtype == np.int64 and numbers.view(np.uint64).max() < classes:
            return  # the usual case, in one pass: seen so, a negative number is huge
        low, high = int(numbers.min()), int(numbers.max())
    else:
        low, high = map(int, labels.aminmax())
    if not 0 <= low <= high < classes:
        raise ValueError(f"{what} must lie in 0 … {classes - 1}, found {low} … {high}")
