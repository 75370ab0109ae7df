"""Mutual information of two discrete variables, from counts of how often they take which values together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerscope.functional.points import check_range
from layerscope.functional.units import Units, in_units

NULL_QUANTILE = 0.95
NULL_TILE = 2**24  # cells of the tables of one batch of permutations


@dataclass(frozen=True)
class DiscreteInformation:
    """Mutual information of a joint table, with what it has to be compared with.

    Attributes
    ----------
    value : float
        Plug-in estimate, in [0, ``bound``]; NaN without samples.
    miller_madow : float
        ``value`` minus its first-order bias; may be negative. NaN for probabilities.
    row_entropy, column_entropy : float
        Plug-in entropies of the two variables.
    error : float
        Asymptotic standard error of ``value``, for pairs that are independent; NaN for probabilities.
    null_mean, null_std, null_quantile, p_value : float
        Mean, standard deviation and 95 % quantile of the value when the pairs are broken up at random, and
        the share of such values that are no smaller; NaN without permutations.
    samples : int
        0 when the table holds probabilities.
    units : str
    """

    value: float
    miller_madow: float
    row_entropy: float
    column_entropy: float
    error: float
    null_mean: float
    null_std: float
    null_quantile: float
    p_value: float
    samples: int
    units: Units

    @property
    def bound(self) -> float:
        """Smaller of the two entropies, which no mutual information exceeds."""
        return min(self.row_entropy, self.column_entropy)

    @property
    def normalized(self) -> float:
        """``value`` over the mean of the two entropies, in [0, 1]; NaN when both variables are constant."""
        total = self.row_entropy + self.column_entropy
        return 2 * self.value / total if total > 0 else math.nan

    @property
    def status(self) -> str:
        """``ok``; ``undefined`` without samples; ``degenerate`` when a variable is constant."""
        if math.isnan(self.value):
            return "undefined"
        return "ok" if self.bound > 0 else "degenerate"


def joint_counts(rows: Tensor, columns: Tensor, num_rows: int, num_columns: int | None = None) -> Tensor:
    """How often two labels occur together.

    Parameters
    ----------
    rows, columns : Tensor (P,), integers
        Paired labels, such as the decisions on the two images of every pair.
    num_rows, num_columns : int
        How many values each can take, whether they occur or not; as many of both when only one is given.

    Returns
    -------
    Tensor (num_rows, num_columns), int64

    Raises
    ------
    ValueError
        The lengths differ, labels are no integers or out of range.
    """
    num_columns = num_rows if num_columns is None else num_columns
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise ValueError(f"paired labels must be two vectors of one length, not {_shapes(rows, columns)}")
    _refuse_outside(rows, num_rows)
    _refuse_outside(columns, num_columns)
    cells = torch.bincount(rows.long() * num_columns + columns.long(), minlength=num_rows * num_columns)
    return cells.view(num_rows, num_columns)


def discrete_mutual_information(
    table: Tensor, *, permutations: int = 0, seed: int = 0, units: Units = "nats"
) -> DiscreteInformation:
    r"""Mutual information :math:`I = \sum_{ab} p_{ab} \ln\frac{p_{ab}}{p_a p_b}` of a joint table.

    The plug-in value of P samples is too high by about :math:`(K_a-1)(K_b-1)/(2P)` nats: compare it with
    the Miller–Madow value and with the permutation null, in which the pairs are broken up at random.

    Parameters
    ----------
    table : Tensor (K_a, K_b)
        Counts (integers; see :func:`joint_counts`), or probabilities (floats), divided by their sum.
    permutations : int
        How many tables of broken-up pairs to draw; 0 for no null.
    seed : int
        Of the permutations; torch's global generator is not touched.
    units : "nats" | "bits"

    Returns
    -------
    DiscreteInformation
        0 for independent variables; the entropy when one determines the other. Unchanged when rows or
        columns change places, are added without samples, or when the table is transposed.

    Raises
    ------
    ValueError
        No matrix, negative or not finite entries, or permutations of probabilities.

    References
    ----------
    Miller (1955), Note on the bias of information estimates. Roulston (1999), Estimating the errors on
    measured entropy and mutual information, Physica D 125.
    """
    _check(table)
    counted = not table.is_floating_point()
    if permutations and not counted:
        raise ValueError("a permutation null needs counts (integers), not probabilities")
    row_entropy, column_entropy, joint = (float(e) for e in _entropies(table.double()))
    value = min(max(row_entropy + column_entropy - joint, 0.0), min(row_entropy, column_entropy))
    found = DiscreteInformation(
        value=value if table.sum() > 0 else math.nan,
        miller_madow=value - _miller_madow(table) if counted else math.nan,
        row_entropy=row_entropy,
        column_entropy=column_entropy,
        error=_standard_error(table, value) if counted else math.nan,
        null_mean=math.nan,
        null_std=math.nan,
        null_quantile=math.nan,
        p_value=math.nan,
        samples=int(table.sum()) if counted else 0,
        units="nats",
    )
    if permutations and found.samples:
        found = _with_null(found, _permuted_values(table, permutations, seed))
    return _converted(found, units)


def class_mutual_information(table: Tensor, *, units: Units = "nats") -> Tensor:
    r"""What each row says about the columns, :math:`i_a = \sum_b p_{b|a} \ln\frac{p_{b|a}}{p_b} \ge 0`.

    Their mean, weighted with :math:`p_a`, is the mutual information.

    Parameters
    ----------
    table : Tensor (K_a, K_b)
        As of :func:`discrete_mutual_information`.

    Returns
    -------
    Tensor (K_a,), float64
        NaN for a row without samples.

    References
    ----------
    DeWeese, Meister (1999), How to measure the information gained from one symbol ("specific surprise").
    """
    _check(table)
    joint = table.double() / table.sum()
    sizes, shares = joint.sum(dim=1, keepdim=True), joint.sum(dim=0)
    ratio = torch.where(joint > 0, joint / (sizes * shares), 1.0)
    return in_units((joint / sizes * ratio.log()).sum(dim=1).clamp(min=0), units)


def _entropies(tables: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Plug-in entropies, in nats, of rows, columns and cells of tables (..., K_a, K_b)."""
    cells = tables.flatten(start_dim=-2)
    joint = cells / cells.sum(dim=-1, keepdim=True)
    share = joint.view_as(tables)
    return _entropy(share.sum(dim=-1)), _entropy(share.sum(dim=-2)), _entropy(joint)


def _entropy(shares: Tensor) -> Tensor:
    return -torch.xlogy(shares, shares).sum(dim=-1)


def _miller_madow(table: Tensor) -> float:
    """First-order bias of the plug-in value: (occupied cells - rows - columns + 1) / (2 P)."""
    samples = int(table.sum())
    if samples == 0:
        return math.nan
    occupied = int((table > 0).sum())
    rows, columns = int((table.sum(dim=1) > 0).sum()), int((table.sum(dim=0) > 0).sum())
    return (occupied - rows - columns + 1) / (2 * samples)


def _standard_error(table: Tensor, value: float) -> float:
    r"""Spread of what single pairs contribute, :math:`\sqrt{\mathrm{Var}[\ln p_{ab}/p_ap_b]/P}`."""
    samples = int(table.sum())
    if samples == 0:
        return math.nan
    joint = table.double() / samples
    expected = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0)
    pointwise = torch.where(joint > 0, joint / expected, 1.0).log()
    return math.sqrt(float((joint * (pointwise - value).square()).sum()) / samples)


def _permuted_values(table: Tensor, permutations: int, seed: int) -> Tensor:
    """Plug-in values (R,) of tables with the same margins whose pairs are drawn at random."""
    counts = table.cpu().long()
    rows = torch.arange(counts.shape[0]).repeat_interleave(counts.sum(dim=1))
    columns = torch.arange(counts.shape[1]).repeat_interleave(counts.sum(dim=0))
    generator = torch.Generator().manual_seed(seed)
    row_entropy, column_entropy, _ = _entropies(counts.double())
    height = max(1, NULL_TILE // counts.numel())
    joint = []
    for start in range(0, permutations, height):
        drawn = [
            joint_counts(rows, columns[torch.randperm(len(columns), generator=generator)], *counts.shape)
            for _ in range(min(height, permutations - start))
        ]
        joint.append(_entropies(torch.stack(drawn).double())[2])
    return (row_entropy + column_entropy - torch.cat(joint)).clamp(min=0)


def _with_null(found: DiscreteInformation, null: Tensor) -> DiscreteInformation:
    """Add mean, spread and quantile of the null; p counts the value itself, so that it is never 0."""
    at_least = int((null >= found.value - 1e-12).sum())
    return replace(
        found,
        null_mean=float(null.mean()),
        null_std=float(null.std(correction=0)),
        null_quantile=float(null.quantile(NULL_QUANTILE)),
        p_value=(1 + at_least) / (1 + len(null)),
    )


def _converted(found: DiscreteInformation, units: Units) -> DiscreteInformation:
    estimated = ("value", "miller_madow", "row_entropy", "column_entropy", "error")
    amounts = (*estimated, "null_mean", "null_std", "null_quantile")
    return replace(found, units=units, **{name: in_units(getattr(found, name), units) for name in amounts})


def _check(table: Tensor) -> None:
    if table.ndim != 2 or table.numel() == 0:
        raise ValueError(f"a joint table is a matrix with rows and columns, not {tuple(table.shape)}")
    bad = int((~(table >= 0)).sum()) + int(torch.isinf(table).sum())
    if bad:
        raise ValueError(f"{bad} entries of the joint table are negative or not finite")


def _refuse_outside(labels: Tensor, count: int) -> None:
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    check_range(labels, count)


def _shapes(*tensors: Tensor) -> str:
    return " and ".join(str(tuple(tensor.shape)) for tensor in tensors)
