"""What every measure of a cloud of points asks of its input."""

from __future__ import annotations

from torch import Tensor


def check_points(points: Tensor) -> None:
    """Refuse what is not a finite matrix of real numbers.

    Raises
    ------
    ValueError
        Not (n, D), or entries that are not finite, with their number and the first row.
    """
    if points.ndim != 2:
        raise ValueError(f"points must be a matrix (n, D), not a tensor of shape {tuple(points.shape)}")
    if bool(points.sum().isfinite()):
        return  # the usual case, in one pass
    bad = ~points.isfinite()
    if bool(bad.any()):
        row = int(bad.any(dim=1).int().argmax())
        raise ValueError(f"{int(bad.sum())} entries of the points are not finite, first in row {row}")


def check_labels(labels: Tensor, count: int) -> None:
    """Refuse labels that are not one integer for each of ``count`` points.

    Raises
    ------
    ValueError
        Another shape, or labels that are not integers.
    """
    if labels.shape != (count,):
        raise ValueError(f"{count} points need labels of shape ({count},), not {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"labels must be integers, not {labels.dtype}: bin a continuous variable with "
            "equal_width_codes, or cluster vectors with cluster_inputs"
        )
