"""Pairs of test and train images: built by a rule in an encoder's space, stored with what determines them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from layerscope.claim import exclusive
from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.errors import DamagedFile, RunFolderError
from layerscope.files import write_atomic
from layerscope.functional.matching import Matches, assigned_matches, nearest_matches
from layerscope.pairing.encoders import BATCH, Encoder

PairMethod = Literal["nn", "nn_class", "assign_class"]

FORMAT = 1
WAIT_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class ImagePairs:
    """Test images with the train image of each.

    Attributes
    ----------
    test, train : Tensor (P,), int64
        Places in the splits.
    cosines : Tensor (P,), float64
        In the encoder's space.
    identity : dict
        Everything that determines them: the data's fingerprint, the method, the encoder.
    """

    test: Tensor
    train: Tensor
    cosines: Tensor
    identity: dict[str, Any]


def build_pairs(data: Data, method: PairMethod, encoder: Encoder) -> ImagePairs:
    """Pair every test image with a train image.

    ``nn``: the nearest of all train images by cosine. ``nn_class``: of those with its label.
    ``assign_class``: one to one within the label, with the largest sum of cosines; not nearest neighbours.
    The last two use the test labels, so that the information between the decisions on both images tends to
    H(Y) for a perfect classifier by construction.

    Raises
    ------
    ValueError
        An unknown method; for ``nn_class``, a test label that no train image has.
    """
    return ImagePairs(*_matches(data, method, encoder), pairs_identity(data, method, encoder))


def shared_pairs(folder: Path, data: Data, method: PairMethod, encoder: Encoder) -> ImagePairs:
    """The pairs from ``folder``, built and stored there if no run has done so yet.

    Of several processes that want the same pairs at once, one builds and the others wait.

    Raises
    ------
    DamagedFile
        The stored pairs are not what was written.
    """
    identity = pairs_identity(data, method, encoder)
    path = folder / f"{identity_key(identity)}.safetensors"
    while not path.is_file() and not _built(path, data, method, encoder, identity):
        time.sleep(WAIT_SECONDS)
    return load_pairs(path, identity)


def load_pairs(path: Path, identity: dict[str, Any]) -> ImagePairs:
    """Read stored pairs and verify that they are intact and those of ``identity``.

    Raises
    ------
    DamagedFile
        They are not.
    """
    remedy = "Delete it; it is built again when it is needed."
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            test, train, cosines = (stored.get_tensor(name) for name in ("test", "train", "cosines"))
    except (SafetensorError, OSError) as error:
        raise DamagedFile(path, str(error), remedy) from error
    if metadata.get("identity") != _text(identity):
        raise DamagedFile(path, "it holds pairs of other data, method or encoder", remedy)
    if metadata.get("digest") != _digest([test, train, cosines]):
        raise DamagedFile(path, "its digest does not match its content", remedy)
    return ImagePairs(test, train, cosines, identity)


def pairs_identity(data: Data, method: PairMethod, encoder: Encoder) -> dict[str, Any]:
    """Everything that determines pairs, fit for JSON."""
    if method not in ("nn", "nn_class", "assign_class"):
        raise ValueError(f"the method is 'nn', 'nn_class' or 'assign_class', not {method!r}")
    prints = {split.name: split_fingerprint(split) for split in (data.train, data.test)}
    own, about = {"format": FORMAT, "method": method, "data": prints}, encoder.identity()
    if twice := own.keys() & about.keys():
        raise ValueError(f"the identity of an encoder cannot say {', '.join(sorted(twice))}")
    return {**own, **about}


def identity_key(identity: dict[str, Any]) -> str:
    """A short name for an identity."""
    return hashlib.sha256(_text(identity).encode()).hexdigest()[:16]


def split_fingerprint(split: Split) -> str:
    """Digest of the images and labels of a split, as they are handed out."""
    digest = hashlib.sha256()
    for images, labels in split.batches(BATCH):
        for part in (images, labels):
            digest.update(part.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _built(path: Path, data: Data, method: PairMethod, encoder: Encoder, identity: dict[str, Any]) -> bool:
    """Build and store pairs; False when another process is at it."""
    try:
        with exclusive(path.with_suffix(".building")):
            if not path.is_file():
                _store(path, ImagePairs(*_matches(data, method, encoder), identity))
    except RunFolderError:
        return False
    return True


def _matches(data: Data, method: PairMethod, encoder: Encoder) -> tuple[Tensor, Tensor, Tensor]:
    train, test = encoder.encode(data)
    labels = data.test.labels, data.train.labels
    if method == "assign_class":
        found: Matches = assigned_matches(test, train, labels)
    else:
        found = nearest_matches(test, train, labels if method == "nn_class" else None)
    return found.queries.cpu(), found.points.cpu(), found.cosines.cpu()


def _store(path: Path, pairs: ImagePairs) -> None:
    tensors = {"test": pairs.test, "train": pairs.train, "cosines": pairs.cosines}
    metadata = {"identity": _text(pairs.identity), "digest": _digest(list(tensors.values()))}
    write_atomic(path, save({name: each.contiguous() for name, each in tensors.items()}, metadata))


def _text(identity: dict[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True)


def _digest(tensors: list[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
