"""Samples as they come from disk, before they become a split, and the checks every set passes once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from layerscope.data.catalog import DatasetInfo
from layerscope.errors import DataError


@dataclass(frozen=True)
class Samples:
    """Images and their labels.

    Attributes
    ----------
    images
        uint8 or float32 of shape (N, C, H, W); for folder sets the paths as bytes, of shape (N,).
    labels
        int64 of shape (N,), 0 <= label < classes.
    origin
        The file or folder they come from, for error messages.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]
    origin: str

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64] | slice) -> Samples:
        """Return the samples at ``index``, in that order."""
        return Samples(self.images[index], self.labels[index], self.origin)


@dataclass(frozen=True)
class Loaded:
    """What a loader returns: both splits, and what is known of the set now that it is read."""

    info: DatasetInfo
    train: Samples
    test: Samples


def check_samples(samples: Samples, classes: int) -> None:
    """Refuse an empty set, a label without image or image without label, and labels outside the classes."""
    images, labels = len(samples.images), len(samples.labels)
    if not samples.images.size:
        raise DataError(f"{samples.origin} is empty. A split needs at least one image.")
    if images != labels:
        raise DataError(
            f"{samples.origin} holds {images} images but {labels} labels. Each image needs one label."
        )
    outside = np.flatnonzero((samples.labels < 0) | (samples.labels >= classes))
    if outside.size:
        first = int(outside[0])
        raise DataError(
            f"{samples.origin}: label {samples.labels[first]} of sample {first} is outside 0..{classes - 1} "
            f"({outside.size} such). Mend the labels or get the data again."
        )
