"""``pairs.npz`` of a run: its pairs of test and train images, and the first few to look at."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic

SHOWN = 12
"""Pairs whose images are kept."""

Numbers = npt.NDArray[np.int64]
Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class StoredPairs:
    """Pairs by test image, as arrays.

    Attributes
    ----------
    test, train : (P,) int64
        Places in the splits.
    cosine : (P,) float64
        Similarity in the encoder's space.
    test_label, train_label : (P,) int64
        Labels as trained on.
    test_images, train_images : (min(P, 12), H, W, C) uint8
        Of the first pairs; one channel or three.
    identity : dict
        Everything that determines the pairs: data, method, encoder.
    """

    test: Numbers
    train: Numbers
    cosine: npt.NDArray[np.float64]
    test_label: Numbers
    train_label: Numbers
    test_images: Images
    train_images: Images
    identity: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the file in one step; the same pairs are always the same bytes."""
        arrays = {name: value for name, value in vars(self).items() if name != "identity"}
        content = io.BytesIO()
        np.savez_compressed(content, identity=json.dumps(self.identity, sort_keys=True), **arrays)
        write_atomic(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> StoredPairs:
        """Read the file.

        Raises
        ------
        DamagedFile
            It is not what was written.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls(**{**arrays, "identity": json.loads(str(arrays["identity"]))})
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            remedy = "Delete it; measuring writes it again when pairs are measured anew."
            why = str(error) if isinstance(error, OSError) else "it does not hold pairs of images"
            raise DamagedFile(path, why, remedy) from error
