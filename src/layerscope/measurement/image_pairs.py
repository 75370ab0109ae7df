"""The pairs of test and train images that a config asks for: their encoder, checked, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerscope.config.sections.pairs import TIMM, PairsConfig
from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.errors import MeasurementError, ModelError
from layerscope.features.layer_features import layer_features
from layerscope.features.reduce import Reduce
from layerscope.features.taps import Layer, Where, trace_layers
from layerscope.measurement.setup import Setup
from layerscope.pairing import ImagePairs, Pixels, PrincipalPixels, TimmModel, WhitePixels, shared_pairs
from layerscope.pairing.encoders import BATCH, Encoder
from layerscope.training.checkpoints import CheckpointStore

COMPONENTS = 64
KEY = "Measurements.pairs"
_EXACT = 8 + 8  # bytes per value beside the vectors themselves: directions in float64, and a copy of them


@dataclass(frozen=True, eq=False)
class CheckpointLayer:
    """What one layer of a run's network makes of the images at one of its checkpoints.

    Encoding leaves the weights of that checkpoint in ``model``.
    """

    model: nn.Module
    store: CheckpointStore
    epoch: int
    layer: str
    setup: Setup
    projection_seed: int

    def identity(self) -> dict[str, Any]:
        """Return the checkpoint's digest, and how its features are taken."""
        setup = self.setup
        taken = {"layer": self.layer, "where": setup.where, "reduce": setup.reduce_name}
        seed = self.projection_seed if setup.reduce_name.startswith("project") else 0
        weights = self.store.manifest.entry(self.epoch).sha256
        return {
            "encoder": "features",
            "checkpoint": weights,
            **taken,
            "seed": seed,
            "dtype": str(setup.dtype),
        }

    def encode(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return features."""
        self.store.load_into(self.model, self.epoch)
        self.model.to(self.setup.dtype)
        return self._features(data.train), self._features(data.test)

    def _features(self, split: Split) -> Tensor:
        setup = self.setup
        batches = ((images.to(setup.dtype), labels) for images, labels in split.batches(BATCH))
        taken: dict[str, Any] = {"where": setup.where, "reduce": setup.reduce}
        return layer_features(self.model, batches, self.layer, **taken).features


def image_pairs(
    config: PairsConfig,
    data: Data,
    layer: Callable[[str], CheckpointLayer],
    layers: Sequence[Layer],
    folder: Path,
) -> ImagePairs:
    """The pairs of a config, from ``folder`` if any run has built them.

    Parameters
    ----------
    layer : callable
        From the name of a layer to the encoder that it is.
    layers : sequence of Layer
        Those that are measured.
    """
    if config.encoder == "features":
        encoder: Encoder = layer(config.layer or layers[-1].name)
    else:
        encoder = _standing_encoder(config)
    return shared_pairs(folder, data, config.method, encoder)


def check_pairs(
    config: PairsConfig,
    model: nn.Module,
    images: Tensor,
    layers: Sequence[Layer],
    *,
    where: Where,
    reduce: Reduce,
    samples: int,
    memory_bytes: int,
) -> None:
    """Find out what would stop the pairs from being built, without any data.

    Parameters
    ----------
    model : nn.Module
        On any device, the meta device included.
    images : Tensor (B, C, H, W)
        A small batch on the same device.
    layers : sequence of Layer
        Those that are measured.
    samples : int
        Images of train and test split together.
    memory_bytes : int
        Budget (``Measurements.memory``).

    Raises
    ------
    ModelError
        The layer is not there, or the timm model, or the file of its weights, or they do not fit.
    MeasurementError
        The vectors of all images exceed the budget.
    """
    width = images[0].numel()
    if config.encoder == "features":
        width = _width_of(config.layer, model, images, layers, where, reduce)
    elif config.encoder.startswith(TIMM):
        width = _timm(config).check()
    taken = samples * width * (torch.float32.itemsize + _EXACT)
    if taken > memory_bytes:
        raise MeasurementError(
            f"{KEY}: {samples:,} images as {config.encoder} of {width:,} values take "
            f"{taken / 2**30:.1f} GiB, more than Measurements.memory ({memory_bytes / 2**30:.1f} GiB). Raise "
            "the budget, or choose an encoder of fewer values: features of a narrow layer, or timm/<name>."
        )


def _standing_encoder(config: PairsConfig) -> Encoder:
    """An encoder that is the same for every run."""
    if config.encoder.startswith(TIMM):
        return _timm(config)
    components = config.components or COMPONENTS
    encoders: dict[str, Encoder] = {
        "pixels": Pixels(),
        "pca": PrincipalPixels(components),
        "whitened": WhitePixels("pca", components),
    }
    return encoders[config.encoder]


def _timm(config: PairsConfig) -> TimmModel:
    assert config.weights is not None  # the schema asks for them
    return TimmModel(config.encoder.removeprefix(TIMM), config.weights, f"{KEY}.weights")


def _width_of(
    wanted: str | None,
    model: nn.Module,
    images: Tensor,
    layers: Sequence[Layer],
    where: Where,
    reduce: Reduce,
) -> int:
    if wanted is None:
        return layers[-1].dim
    name = wanted.partition("@")[0]
    try:
        found = trace_layers(model, images, [f"^{name}"], where=where, reduce=reduce)
    except ModelError as error:
        raise ModelError(f"{KEY}.layer: {_in_own_words(str(error), name)}") from error
    fitting = [layer for layer in found if layer.module_name == name and layer.name == wanted]
    if not fitting:
        calls = ", ".join(layer.name for layer in found)
        raise ModelError(f"{KEY}.layer: {wanted!r} is no layer of the model; it has {calls}")
    return fitting[0].dim


def _in_own_words(message: str, name: str) -> str:
    """An error about a tap without the key that taps usually come from."""
    told = message.removeprefix("Model.embedding-layers: ").replace(f"'^{name}'", repr(name))
    return told.removesuffix(" (an entry matches the end of ^name)")
