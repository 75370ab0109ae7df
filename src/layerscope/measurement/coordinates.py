"""The second sweep of one layer: samples as coordinates along the class means."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding, linear

from layerscope.functional.between import BetweenBasis
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.nearest_center import NearestCenter

MOST_ROWS, VALUES = 2**14, 2**22  # rows that are read at a time, and what is made of them
OUTLYING = 4.0  # standard deviations; the check itself has a margin of fifty times the rounding


class Coordinates:
    r"""Feeds the second sweep's accumulators with coordinates instead of whole features.

    All that NC1 and nearest means need lies in the span of the class means: the part of a sample orthogonal
    to it adds the same to its distance to every mean. So one thin product :math:`z U` per sample serves
    both, where z is the sample's offset from the reference point of its class.

    Parameters
    ----------
    moments : ClassMoments
        Of the split that is read.
    reference : Tensor (K, D)
        What the offsets are taken from: a point for each class that is read.
    own : BetweenBasis
        Directions of the split's own means, about which ``scatter`` is taken.
    scatter : DirectionalScatter
    train : BetweenBasis
        Directions of the train means, in whose coordinates ``nearest`` holds its centres.
    nearest : NearestCenter, optional
    """

    def __init__(
        self,
        moments: ClassMoments,
        reference: Tensor,
        own: BetweenBasis,
        scatter: DirectionalScatter,
        train: BetweenBasis,
        nearest: NearestCenter | None,
    ) -> None:
        self.scatter, self.nearest = scatter, nearest
        bases = [own] if train is own or nearest is None else [own, train]
        rows = torch.cat([basis.directions.T for basis in bases])  # (r, D): thin products are faster by rows
        self._directions = rows.contiguous()
        self._split = own.rank if len(bases) == 2 else 0
        self._own_rank = own.rank
        reference = reference.double()
        # Where the reference points lie: about the class means (scatter), about the centre (distances).
        about_means = torch.zeros_like(reference)
        about_means[moments.present] = reference[moments.present] - moments.means
        self._about_means = about_means @ own.directions
        self._about_center = (reference - train.center) @ train.directions
        # What rounding of a product with an offset is relative to: the offsets' length in that class.
        spread = torch.zeros_like(moments.counts, dtype=torch.float64)
        spread[moments.present] = OUTLYING * moments.variances.sqrt()
        self._spread = (spread + torch.linalg.vector_norm(about_means, dim=1)).unsqueeze(1)
        self._narrow: dict[torch.dtype, tuple[Tensor, Tensor, Tensor]] = {}  # converted once, not per batch

    @property
    def rows(self) -> int:
        """How many rows are best read at a time, of offsets that are at hand."""
        return min(MOST_ROWS, max(VALUES // (len(self._directions) + len(self._spread)), 1))

    def update(self, offsets: Tensor, labels: Tensor, decisions: Tensor) -> Tensor | None:
        """Add a batch; return the nearest classes (B,), where there are any centres.

        Parameters
        ----------
        offsets : Tensor (B, D)
            Offsets of the features from the reference points of their classes.
        labels, decisions : Tensor (B,)
            The true classes, and the network's decisions.
        """
        if offsets.dtype not in self._narrow:
            exactly = (self._directions, self._about_means, self._about_center)
            first, second, third = (part.to(offsets.dtype) for part in exactly)
            self._narrow[offsets.dtype] = first, second, third
        directions, about_means, about_center = self._narrow[offsets.dtype]
        along = linear(offsets, directions)
        self.scatter.update(along[:, : self._own_rank] + embedding(labels, about_means), labels)
        if self.nearest is None:
            return None
        points = along[:, self._split :] + embedding(labels, about_center)
        size = torch.linalg.vector_norm(points, dim=1) + embedding(labels, self._spread).squeeze(1)

        def exact(rows: Tensor) -> Tensor:
            along_train = linear(offsets[rows].double(), self._directions[self._split :])
            return along_train + self._about_center[labels[rows]]

        return self.nearest.update(points, labels, decisions, exact=exact, error=size)
