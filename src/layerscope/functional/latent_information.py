"""Mutual information of high-dimensional blocks, by nearest neighbours in learnt latent spaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerscope.functional.ksg import NeighborInformation, ksg_mutual_information, label_mutual_information
from layerscope.functional.latent_encoder import LatentEncoder, as_columns
from layerscope.functional.latent_learning import are_labels, learn_latents
from layerscope.functional.latent_training import LatentSettings
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
    training, validation : Tensor (1 + epochs, m), float64
        Losses of the networks of x and y, or of x alone when y are labels: share of the variance that is not
        reconstructed, summed over both blocks, before the first epoch and in every one; validation on the
        held-out samples.
    best_epochs : tuple of int
        Epoch of each network whose weights were kept; 0 is the start.
    encoders : tuple of LatentEncoder
        Of x and, unless y are labels, of y.
    """

    neighbors: NeighborInformation
    held_out: Tensor
    training: Tensor
    validation: Tensor
    best_epochs: tuple[int, ...]
    encoders: tuple[LatentEncoder, ...]


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
    blocks = [(_checked(x, "x"), y if are_labels(y) else _checked(y, "y")) for x, y in pairs]
    if not blocks:
        return []
    names = _names(blocks, ids)
    samples = len(names)
    if samples < FEWEST:
        return [LatentInformation(math.nan, (), samples, units) for _ in blocks]
    order = priorities(names.cpu(), seed).argsort().to(names.device)
    halves = order[: samples // 2], order[samples // 2 :]
    question = _Question(seed, k, units)
    learnt = [_folds(blocks, halves[0], halves[1], settings, question)]
    if cross_fit:
        learnt.append(_folds(blocks, halves[1], halves[0], settings, question))
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


def _folds(
    blocks: Sequence[tuple[Tensor, Tensor]],
    train: Tensor,
    held_out: Tensor,
    settings: LatentSettings,
    question: _Question,
) -> list[LatentFold]:
    """Learn from the samples ``train`` of every pair; estimate on those held out."""
    learnt = learn_latents(blocks, train, held_out, settings, question.seed)
    return [
        LatentFold(
            neighbors=latent_neighbors(each.encoders, x[held_out], y[held_out], question.k, question.units),
            held_out=held_out,
            training=each.curves.training,
            validation=each.curves.validation,
            best_epochs=tuple(each.curves.best.tolist()),
            encoders=each.encoders,
        )
        for each, (x, y) in zip(learnt, blocks, strict=True)
    ]


def latent_neighbors(
    encoders: tuple[LatentEncoder, ...], x: Tensor, y: Tensor, k: int, units: Units
) -> NeighborInformation:
    """KSG of the latents of samples that may be new; the latents of x and the labels if y are labels."""
    latents = encoders[0](x)
    if are_labels(y):
        found = label_mutual_information(latents, y, k=k, standardize=False, units=units)
    else:
        found = ksg_mutual_information(latents, encoders[1](y), k=k, standardize=False, units=units)
    constant = [not bool((part != part[:1]).any()) for part in (as_columns(x), as_columns(y))]
    if not any(constant):
        return found
    return replace(found, value=0.0, pointwise=torch.zeros_like(found.pointwise), reasons=("constant",))


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
