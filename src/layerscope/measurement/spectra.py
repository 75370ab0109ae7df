"""Covariance spectra of one layer on one split: from kept features, or by sketches while they flow."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding

from layerscope.distributed.exchange import gathered, merged, shared
from layerscope.distributed.ranks import world_size
from layerscope.functional.weighting import ClassWeights, weights_by
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_sketches import ClassSketches
from layerscope.statistics.class_spectra import ClassSpectra, class_spectra


def kept_spectra(
    offsets: Tensor, labels: Tensor, reference: Tensor, moments: ClassMoments, weighting: str
) -> ClassSpectra:
    """Spectra from the offsets that this process kept; of several, the first computes for all.

    Parameters
    ----------
    offsets : Tensor (n, D)
        From the reference points (K, D) of this process.
    labels : Tensor (n,)
    moments : ClassMoments
        Of the whole split.
    """
    weights = _weights(moments, weighting)
    if world_size() > 1:  # each has reference points of its own
        offsets = offsets + embedding(labels, mean_shift(reference, moments))
        offsets, labels = (torch.cat(gathered(part)) for part in (offsets, labels))
    return shared(lambda: class_spectra(offsets, labels, moments.means, weights))


def mean_shift(reference: Tensor, moments: ClassMoments) -> Tensor:
    """What turns offsets from reference points (K, D) into offsets from the class means."""
    shift, rows = torch.zeros_like(reference), moments.present
    shift[rows] = (reference[rows].double() - moments.means).to(reference.dtype)
    return shift


class SketchReader:
    """Feeds the sketches of one layer, and turns them into spectra."""

    def __init__(self, reference: Tensor, moments: ClassMoments, weighting: str, *, by_class: bool) -> None:
        self._moments, self._weights = moments, _weights(moments, weighting)
        shares = torch.zeros(moments.num_classes, dtype=torch.float64, device=reference.device)
        shares[moments.present] = self._weights.pooled / moments.counts[moments.present]
        self._sketches = ClassSketches(shares, moments.dim, by_class=by_class)
        self._shift = mean_shift(reference, moments)

    def update(self, offsets: Tensor, labels: Tensor) -> None:
        """Add a batch of offsets (B, D) from the reference points."""
        self._sketches.update(offsets + embedding(labels, self._shift), labels)

    def spectra(self) -> ClassSpectra:
        """Spectra of what all processes saw."""
        sketches = merged(self._sketches)
        return shared(lambda: sketches.spectra(self._moments, self._weights))


def _weights(moments: ClassMoments, weighting: str) -> ClassWeights:
    return weights_by(weighting, moments.counts[moments.present])
