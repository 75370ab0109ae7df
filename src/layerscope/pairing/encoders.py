"""Spaces in which images are compared; each says by ``identity`` everything that determines it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.files import sha256
from layerscope.functional.whitening import Whitening, whitening
from layerscope.models.meta import build_on_meta
from layerscope.models.published_inputs import PublishedInputs, timm_form
from layerscope.models.timm_models import refuse_unknown, timm_module
from layerscope.models.weights import compare_weights, read_weights

BATCH = 256


class Encoder(Protocol):
    """From the images of a data set to one vector each."""

    def identity(self) -> dict[str, Any]:
        """What determines the vectors, besides the data; fit for JSON."""

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Vectors of the train (n, d) and the test images (m, d)."""


@dataclass(frozen=True)
class Pixels:
    """The normalised pixels themselves."""

    def identity(self) -> dict[str, Any]:
        """Return the name."""
        return {"encoder": "pixels"}

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return flattened images."""
        flat = nn.Flatten()
        return _over(data.train, flat), _over(data.test, flat)


@dataclass(frozen=True)
class WhitePixels:
    """Pixels in the white coordinates of the train images."""

    method: Whitening = "pca"
    components: int | None = 64
    ridge: float = 0.0

    def identity(self) -> dict[str, Any]:
        """Return the name and the settings; ``method`` would be taken for that of the pairs."""
        settings = {"components": self.components, "ridge": self.ridge}
        return {"encoder": "white-pixels", "whitening": self.method, **settings}

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return coordinates."""
        train, test = Pixels().encode(data)
        white = whitening(train, self.method, ridge=self.ridge, components=self.components)
        return white(train), white(test)


@dataclass(frozen=True)
class PrincipalPixels:
    """Pixels along their leading principal components on the train images."""

    components: int = 64

    def identity(self) -> dict[str, Any]:
        """Return the name and the settings."""
        return {"encoder": "principal-pixels", **vars(self)}

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return coordinates."""
        train, test = Pixels().encode(data)
        white = whitening(train, "pca", components=self.components)
        deviations = torch.linalg.vector_norm(white.inverse, dim=1)
        return white(train) * deviations, white(test) * deviations


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Vectors that are there already, such as a run's own last layer, in the order of the splits."""

    train: Tensor
    test: Tensor

    def identity(self) -> dict[str, Any]:
        """Return a digest of the numbers."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            digest.update(str((tuple(part.shape), part.dtype)).encode())
            digest.update(part.detach().cpu().contiguous().numpy().tobytes())
        return {"encoder": "features", "sha256": digest.hexdigest()}

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return the vectors."""
        if (len(self.train), len(self.test)) != (len(data.train), len(data.test)):
            raise ValueError(
                f"{len(self.train)} + {len(self.test)} vectors do not fit {len(data.train)} + "
                f"{len(data.test)} images"
            )
        return self.train, self.test


@dataclass(frozen=True)
class TimmModel:
    """The pooled features of a timm model (CLIP's image towers among them) with weights from a file.

    Images are scaled to the model's size and normalised as it wants them; grey ones get three equal channels.
    ``key`` is what messages call the file.
    """

    name: str
    weights: Path
    key: str = "weights"

    def identity(self) -> dict[str, Any]:
        """Return the name and the digest of the weights."""
        return {"encoder": "timm", "name": self.name, "weights": sha256(self.weights)}

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return features."""
        device = data.train.labels.device
        model: Any = self._trained().to(device).eval()
        inputs = PublishedInputs(timm_form(model.pretrained_cfg), data.info.mean, data.info.std, device)

        def features(images: Tensor) -> Tensor:
            found: Tensor = model(inputs(images))
            return found

        return _over(data.train, features), _over(data.test, features)

    def check(self) -> int:
        """The number of features, after making sure that model and weights are there and fit each other.

        Raises
        ------
        ModelError
            timm is not installed or has no such model, or the file is missing, damaged, or of another one.
        """
        refuse_unknown(timm_module(), self.name)
        model: Any = build_on_meta(self._untrained)
        self._weights_for(model)
        width: int = model.num_features
        return width

    def _trained(self) -> Any:
        model = self._untrained()
        model.load_state_dict(self._weights_for(model))
        return model

    def _untrained(self) -> Any:
        timm = timm_module()
        refuse_unknown(timm, self.name)
        return timm.create_model(self.name, pretrained=False, num_classes=0)

    def _weights_for(self, model: Any) -> dict[str, Tensor]:
        """The tensors of the file but those of a classifier, which must be those of the model."""
        head = model.pretrained_cfg.get("classifier") or ""
        heads = tuple(f"{each}." for each in ([head] if isinstance(head, str) else head) if each)
        stored = read_weights(self.weights, self.key)
        state = {name: value for name, value in stored.items() if not (heads and name.startswith(heads))}
        compare_weights(model.state_dict(), state, self.weights, self.key)
        return state


def _over(split: Split, encode: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.inference_mode():
        parts = [encode(images).flatten(start_dim=1).clone() for images, _ in split.batches(BATCH)]
    return torch.cat(parts).clone()
