"""How much memory the covariance spectra of each layer take, from kept features and from sketches."""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.features.taps import Layer
from layerscope.functional.covariance import EXACT
from layerscope.statistics.class_sketches import COLUMNS, sketch_bytes

MATRICES = 7  # D×D at a time: Σ_w, one class, what decomposes them
BLOCKS = 8  # D×p at a time: a sketch, what is made of it, what decomposes it


class SpectraMemory:
    """Bytes for the spectra of each layer, upper bounds.

    Parameters
    ----------
    layers : sequence of Layer
    samples : int
        Of the largest split.
    largest_class : int
        Its samples of one class, at most.
    num_classes : int
    item_bytes : int
        Of one feature.

    Attributes
    ----------
    by_class, pooled : list of int
        What the sketches of a layer hold until the end of a sweep, with those of single classes and without.
    scratch : list of int
        What it takes to make spectra of them, a layer at a time.
    kept : int
        What spectra of kept features take, a layer at a time.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        samples: int,
        largest_class: int,
        num_classes: int,
        item_bytes: int,
    ) -> None:
        self.layers = layers
        self.by_class = [sketch_bytes(num_classes, layer.dim, item_bytes, by_class=True) for layer in layers]
        self.pooled = [sketch_bytes(num_classes, layer.dim, item_bytes, by_class=False) for layer in layers]
        self.scratch = [_scratch(layer.dim) for layer in layers]
        self.kept = max(_kept(layer.dim, samples, largest_class, num_classes, item_bytes) for layer in layers)

    @property
    def least(self) -> int:
        """What the pooled sketch of the hungriest layer takes."""
        return max(held + scratch for held, scratch in zip(self.pooled, self.scratch, strict=True))

    @property
    def wanted(self) -> int:
        """What the hungriest layer takes with all its classes, from kept features or sketched."""
        sketched = zip(self.by_class, self.scratch, strict=True)
        return max(self.kept, *(held + scratch for held, scratch in sketched))

    def grouped(self, room: int) -> tuple[tuple[tuple[int, ...], ...], frozenset[int], int]:
        """Layers in as few sweeps as the room allows, those without single classes, and what it takes."""
        groups: list[list[int]] = [[]]
        held, largest, pooled = 0, 0, set()
        for index, size in enumerate(self.by_class):
            if size + self.scratch[index] > room:
                pooled.add(index)
                size = self.pooled[index]
            most = max((self.scratch[other] for other in groups[-1]), default=0)
            if held + size + max(most, self.scratch[index]) > room:
                groups.append([])
                held, most = 0, 0
            groups[-1].append(index)
            held += size
            largest = max(largest, held + max(most, self.scratch[index]))
        return tuple(map(tuple, groups)), frozenset(pooled), largest


def _scratch(dim: int) -> int:
    """Of the spectra of one layer's sketches, and of what a batch adds to them."""
    whole = MATRICES * dim * dim if dim <= EXACT else 0
    return 8 * (BLOCKS * dim * min(dim, COLUMNS) + whole)


def _kept(dim: int, samples: int, largest_class: int, num_classes: int, item_bytes: int) -> int:
    """Of the spectra of one layer's kept features."""
    rows = largest_class * dim * (2 * item_bytes + 8)  # of one class: centred, and its squares in float64
    side = dim if dim <= EXACT else largest_class  # of features, or of the samples of a class
    matrices = 8 * MATRICES * side**2 if side <= EXACT else 0
    if samples + num_classes <= EXACT and samples <= dim:  # by the matrix of the samples
        return rows + matrices + 8 * 6 * (samples + num_classes) * dim
    return rows + matrices + 8 * BLOCKS * dim * min(dim, COLUMNS)
