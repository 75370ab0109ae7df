"""The two blocks of variables whose mutual information is wanted: checked, and on a common scale."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Block:
    """Columns of one side, float64.

    Attributes
    ----------
    values : Tensor (N, d)
    dropped : int
        Constant columns, which say nothing and were left out.
    """

    values: Tensor
    dropped: int


def paired_blocks(x: Tensor, y: Tensor, *, standardize: bool) -> tuple[Block, Block]:
    """Check two paired sets of samples and prepare each (see :func:`block`).

    Raises
    ------
    ValueError
        Different numbers of samples, or a block that is no floats, no matrix, or not finite.
    """
    if len(x) != len(y):
        raise ValueError(f"samples must be paired, but there are {len(x)} of x and {len(y)} of y")
    return block(x, "x", standardize=standardize), block(y, "y", standardize=standardize)


def block(values: Tensor, name: str, *, standardize: bool) -> Block:
    """Samples (N,) or (N, d) as float64 (N, d'), without constant columns.

    Parameters
    ----------
    standardize
        Subtract the mean of every column and divide by its population standard deviation.
    """
    if not values.is_floating_point():
        raise ValueError(
            f"{name} is {values.dtype}: labels are names, not positions. Use label_mutual_information or "
            "discrete_mutual_information for labels, one_hot(…).double(), or .double() if the numbers count."
        )
    columns = values.double().unsqueeze(1) if values.ndim == 1 else values.double()
    if columns.ndim != 2:
        raise ValueError(f"{name} must be (N,) or (N, d), not {tuple(values.shape)}")
    bad = int((~columns.isfinite()).any(dim=1).sum())
    if bad:
        raise ValueError(f"{bad} of {len(columns)} samples of {name} are not finite")
    varies = (columns != columns[:1]).any(dim=0)
    kept = columns[:, varies]
    scaled = standardized(kept) if standardize else kept
    return Block(scaled, int((~varies).sum()))


def standardized(columns: Tensor) -> Tensor:
    """Z-scores with the population standard deviation; no column may be constant."""
    offsets = columns - columns.mean(dim=0)
    offsets = offsets / offsets.abs().amax(dim=0)  # whose squares neither under- nor overflow
    return offsets / offsets.square().mean(dim=0).sqrt()
