"""Mutual information of high-dimensional blocks, by nearest neighbours in learnt latent spaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.functional.ksg import NeighborInformation, ksg_mutual_information, label_mutual_information
from layerscope.functional.latent_alignment import alignments
from layerscope.functional.latent_encoder import LatentEncoder, as_columns
from layerscope.functional.latent_inputs import Projection, projection
from layerscope.functional.latent_networks import Stack, Widths, initial_stack, pad_to
from layerscope.functional.latent_training import Curves, Examples, LatentSettings, train_stack
from layerscope.functional.priorities import priorities
from layerscope.functional.units import Units

FEWEST = 200  # samples below which nothing is learnt that could be trusted


@dataclass(frozen=True, eq=False)
class LatentFold:
    """What was learnt from one part of the samples and estimated on the other.

    Attributes
    ----------
    neighbors : NeighborInformation
        The nearest-neighbour estimate on the held-out latents.
    held_out : Tensor (m,), int64
        Rows of its samples, in the order of its pointwise values.
    training, validation : Tensor (epochs, 2), float64
        Losses of the networks of x and y: share of the variance that is not reconstructed, summed over both
        blocks; validation on the held-out samples, in evaluation.
    best_epochs : tuple of int
        Epochs of x and y whose weights were kept, counted from 0.
    encoders : tuple of LatentEncoder
        Of x and of y.
    """

    neighbors: NeighborInformation
    held_out: Tensor
    training: Tensor
    validation: Tensor
    best_epochs: tuple[int, int]
    encoders: tuple[LatentEncoder, LatentEncoder]


@dataclass(frozen=True, eq=False)
class LatentInformation:
    """Mutual information in latent spaces, and how they were learnt.

    Attributes
    ----------
    value : float
        Mean of what the held-out samples contribute; NaN below 200 samples.
    folds : tuple of LatentFold
        Two when every sample was held out once, else one; none when nothing was learnt.
    samples : int
    units : str
    """

    value: float
    folds: tuple[LatentFold, ...]
    samples: int
    units: Units

    @property
    def pointwise(self) -> Tensor:
        """What every sample contributes (N,); NaN for those that were never held out."""
        device = self.folds[0].held_out.device if self.folds else None
        found = torch.full((self.samples,), math.nan, dtype=torch.float64, device=device)
        for fold in self.folds:
            found[fold.held_out] = fold.neighbors.pointwise
        return found

    @property
    def ceiling(self) -> float:
        """What the estimator gives at most; NaN when there is none."""
        return min((fold.neighbors.ceiling for fold in self.folds), default=math.nan)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the value is fragile, as of the nearest-neighbour estimates."""
        return tuple(sorted({reason for fold in self.folds for reason in fold.neighbors.reasons}))

    @property
    def status(self) -> str:
        """``undefined`` with too few samples, ``degenerate`` when there are ``reasons``, else ``ok``."""
        if not self.folds:
            return "undefined"
        return "degenerate" if self.reasons else "ok"


def latent_mutual_information(
    x: Tensor,
    y: Tensor,
    *,
    seed: int = 0,
    k: int = 3,
    ids: Tensor | None = None,
    cross_fit: bool = True,
    settings: LatentSettings | None = None,
    units: Units = "nats",
) -> LatentInformation:
    r"""Mutual information of two blocks of any width by KSG between learnt latent representations.

    One network per block compresses it to a few latents from which it reconstructs *both* blocks; half of
    the samples train it, the other half stops it early and gives the estimate,
    :func:`~layerscope.functional.ksg_mutual_information` of the latents along their canonical directions
    (what both blocks share decides what is near); then the halves change places. With
    labels for y, the latents of x are compared with the labels themselves
    (:func:`~layerscope.functional.label_mutual_information`).

    In the population the value is a lower bound, because latents are functions of the blocks; an estimate
    may lie above the truth. It depends on the number of samples, and on the seed: show several.

    Parameters
    ----------
    x : Tensor (N,) or (N, D), floats
    y : Tensor (N,) or (N, D), floats, or (N,), integers
        Paired features, or labels.
    seed : int
        Of the split, the weights and the order; the same seed gives the same bits, and torch's global
        generator is not touched.
    k : int
        Neighbours of KSG.
    ids : Tensor (N,), int64, optional
        Names of the samples, all different, which decide the half they are in and their order; their rows
        when omitted. Then the order in which samples come does not matter.
    cross_fit : bool
        Hold out each half once and average, which takes twice as long and halves the variance; else only the
        second half, as in the paper.
    settings : LatentSettings, optional
    units : "nats" | "bits"

    Raises
    ------
    ValueError
        Samples that are unpaired, not finite or no floats; ids that are not all different.

    References
    ----------
    Gowri, Lun, Klein, Yin (2024), Approximating mutual information of high-dimensional variables using
    learned representations, arXiv:2409.02732.
    """
    (found,) = latent_mutual_informations(
        [(x, y)], seed=seed, k=k, ids=ids, cross_fit=cross_fit, settings=settings, units=units
    )
    return found


def latent_mutual_informations(
    pairs: Sequence[tuple[Tensor, Tensor]],
    *,
    seed: int = 0,
    k: int = 3,
    ids: Tensor | None = None,
    cross_fit: bool = True,
    settings: LatentSettings | None = None,
    units: Units = "nats",
) -> list[LatentInformation]:
    """:func:`latent_mutual_information` of several pairs of blocks of the same samples, trained together.

    All networks take their steps in the same few batched products, which pays on a GPU, and for narrow
    layers; each has its own best epoch, so values differ from those of single runs by rounding only.
    """
    settings = LatentSettings() if settings is None else settings
    blocks = [(_checked(x, "x"), y if _are_labels(y) else _checked(y, "y")) for x, y in pairs]
    if not blocks:
        return []
    names = _names(blocks, ids)
    samples = len(names)
    if samples < FEWEST:
        return [LatentInformation(math.nan, (), samples, units) for _ in blocks]
    order = priorities(names.cpu(), seed).argsort().to(names.device)
    halves = order[: samples // 2], order[samples // 2 :]
    question = _Question(seed, k, units)
    learnt = [_fold(blocks, halves[0], halves[1], settings, question)]
    if cross_fit:
        learnt.append(_fold(blocks, halves[1], halves[0], settings, question))
    return [_combined(folds, samples, units) for folds in zip(*learnt, strict=True)]


@dataclass(frozen=True)
class _Question:
    """What is asked of the latents, and with which seed they are learnt."""

    seed: int
    k: int
    units: Units


def _combined(folds: tuple[LatentFold, ...], samples: int, units: Units) -> LatentInformation:
    held_out = sum(len(fold.held_out) for fold in folds)
    total = sum(fold.neighbors.value * len(fold.held_out) for fold in folds)
    return LatentInformation(total / held_out, folds, samples, units)


def _fold(
    blocks: Sequence[tuple[Tensor, Tensor]],
    train: Tensor,
    held_out: Tensor,
    settings: LatentSettings,
    question: _Question,
) -> list[LatentFold]:
    """Learn from the samples ``train`` of every pair; estimate on those held out."""
    sides = [_side(pair, train, settings) for pair in blocks]
    best, curves = _train(blocks, sides, train, held_out, settings, question.seed)
    return [
        _learnt(place, curves, _encoders(place, best, sides[place], pair, train), pair, held_out, question)
        for place, pair in enumerate(blocks)
    ]


def _train(
    blocks: Sequence[tuple[Tensor, Tensor]],
    sides: Sequence[tuple[Projection, Projection]],
    train: Tensor,
    held_out: Tensor,
    settings: LatentSettings,
    seed: int,
) -> tuple[Stack, Curves]:
    """Networks of x and y of every pair, as one stack: 2 p is that of x, 2 p + 1 that of y."""
    coordinates = [
        (left(x).float(), right(_features(y)).float())
        for (x, y), (left, right) in zip(blocks, sides, strict=True)
    ]
    widths = [
        Widths(own.shape[1], settings.dims, sum(part.shape[1] for part in both), settings.hidden)
        for both in coordinates
        for own in both
    ]
    stack = initial_stack(widths, [2 * seed, 2 * seed + 1] * len(blocks), train.device)
    examples = _examples(coordinates, [(left.spread, right.spread) for left, right in sides])
    return train_stack(stack, examples.take(train), examples.take(held_out), settings, seed)


def _encoders(
    place: int, best: Stack, sides: tuple[Projection, Projection], pair: tuple[Tensor, Tensor], train: Tensor
) -> tuple[LatentEncoder, LatentEncoder]:
    """One pair's networks at their best, aligned on the samples that they were trained on."""
    left, right = (LatentEncoder(side, best.take(2 * place + n)) for n, side in enumerate(sides))
    x, y = pair
    one, other = alignments(left(x[train]), right(_features(y)[train]))
    return replace(left, alignment=one), replace(right, alignment=other)


def _learnt(
    place: int,
    curves: Curves,
    encoders: tuple[LatentEncoder, LatentEncoder],
    pair: tuple[Tensor, Tensor],
    held_out: Tensor,
    question: _Question,
) -> LatentFold:
    """The estimate from one pair's held-out samples."""
    networks, (x, y) = slice(2 * place, 2 * place + 2), pair
    epochs = curves.best[networks].tolist()
    return LatentFold(
        neighbors=latent_neighbors(*encoders, x[held_out], y[held_out], question.k, question.units),
        held_out=held_out,
        training=curves.training[:, networks],
        validation=curves.validation[:, networks],
        best_epochs=(epochs[0], epochs[1]),
        encoders=encoders,
    )


def latent_neighbors(
    left: LatentEncoder, right: LatentEncoder, x: Tensor, y: Tensor, k: int, units: Units
) -> NeighborInformation:
    """KSG of the latents of samples that may be new; the latents of x and the labels if y are labels."""
    latents = left(x)
    if _are_labels(y):
        found = label_mutual_information(latents, y, k=k, standardize=False, units=units)
    else:
        found = ksg_mutual_information(latents, right(y), k=k, standardize=False, units=units)
    constant = [not bool((part != part[:1]).any()) for part in (as_columns(x), as_columns(y))]
    if not any(constant):
        return found
    return replace(found, value=0.0, pointwise=torch.zeros_like(found.pointwise), reasons=("constant",))


def _examples(
    coordinates: Sequence[tuple[Tensor, Tensor]], spreads: Sequence[tuple[float, float]]
) -> Examples:
    """Inputs, targets and weights of all networks, padded to a common width."""
    inputs, targets, weights = [], [], []
    for (x, y), (spread_x, spread_y) in zip(coordinates, spreads, strict=True):
        share = [torch.full((part.shape[1],), 1 / spread, device=part.device)
                 for part, spread in ((x, spread_x), (y, spread_y))]  # fmt: skip
        inputs += [x, y]
        targets += [torch.cat([x, y], dim=1)] * 2
        weights += [torch.cat(share).unsqueeze(0)] * 2
    return Examples(_stacked(inputs), _stacked(targets), _stacked(weights))


def _stacked(matrices: Sequence[Tensor]) -> Tensor:
    columns = max(matrix.shape[1] for matrix in matrices)
    return torch.stack([pad_to(matrix, len(matrix), columns) for matrix in matrices])


def _side(
    pair: tuple[Tensor, Tensor], train: Tensor, settings: LatentSettings
) -> tuple[Projection, Projection]:
    x, y = pair
    return projection(x[train], settings.components), projection(_features(y)[train], settings.components)


def _are_labels(y: Tensor) -> bool:
    return y.ndim == 1 and not y.is_floating_point() and y.dtype != torch.bool


def _features(y: Tensor) -> Tensor:
    """Features as they are; labels as one column each."""
    if not _are_labels(y):
        return y
    _, member = torch.unique(y, return_inverse=True)
    return F.one_hot(member).double()


def _checked(points: Tensor, name: str) -> Tensor:
    columns = as_columns(points)
    if columns.ndim != 2 or not columns.is_floating_point():
        raise ValueError(
            f"{name} must be floats (N,) or (N, D), not {points.dtype} {tuple(points.shape)}; "
            "y may be labels, integers (N,)"
        )
    bad = int((~columns.isfinite()).any(dim=1).sum())
    if bad:
        raise ValueError(f"{bad} of {len(columns)} samples of {name} are not finite")
    return columns


def _names(blocks: Sequence[tuple[Tensor, Tensor]], ids: Tensor | None) -> Tensor:
    first = blocks[0][0]
    lengths = {len(part) for pair in blocks for part in pair}
    if len(lengths) > 1:
        raise ValueError(f"samples must be paired, but blocks have {sorted(lengths)}")
    if ids is None:
        return torch.arange(len(first), device=first.device)
    if ids.shape != (len(first),) or len(set(ids.tolist())) < len(ids):
        raise ValueError(f"{len(first)} samples need as many ids, all different")
    return ids.to(first.device)
