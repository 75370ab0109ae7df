"""Features given outright, measured by the whole engine."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from layerscope.data.normalise import Normalise
from layerscope.data.split import InMemorySplit
from layerscope.features.layers import LayerSpec
from layerscope.features.reduce import reduce_by_name
from layerscope.features.taps import trace_layers
from layerscope.measurement.measure import table_rows
from layerscope.measurement.plan import make_plan
from layerscope.measurement.sweeps import Collector, Setup
from layerscope.measures.base import Need
from layerscope.measures.estimation import Estimation
from layerscope.measures.registry import MEASURES
from layerscope.training.criterion import LOSSES

Sampled = tuple[np.ndarray, Sequence[int]]  # features (N, ...) and labels (N,)
EVERYTHING = ~Need.NOTHING


@dataclass
class Measured:
    """All rows, and one of them by its measure and qualifiers."""

    rows: list[tuple[str, dict[str, object]]]

    def __call__(
        self, measure: str, split: str = "train", layer: str = "fc", **wanted: object
    ) -> tuple[float, str]:
        """Value and status of the one row that fits."""
        place = {"split": split, "layer_name": layer, **wanted}
        found = [row for name, row in self.rows if name == measure and place.items() <= row.items()]
        assert len(found) == 1, f"{len(found)} rows of {measure} at {place}"
        return found[0]["value"], found[0]["status"]

    def numbers(self) -> dict[tuple, float]:
        """Every value, by whatever tells rows apart."""
        return {
            (name, row["split"], row["layer_name"], *(row[q] for q in MEASURES[name].qualifiers)): row[
                "value"
            ]
            for name, row in self.rows
        }


def linear(weight: np.ndarray, bias: np.ndarray | None = None) -> nn.Linear:
    """A linear layer in float64 with these numbers."""
    layer = nn.Linear(*weight.shape[::-1]).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.zeros(len(weight)) if bias is None else torch.tensor(bias))
    return layer


def behind(fc: nn.Module, *more: nn.Module) -> nn.Module:
    """A network that flattens and goes on with ``fc``."""
    named = {"flat": nn.Flatten(), "fc": fc, **{f"more{i}": module for i, module in enumerate(more)}}
    return nn.Sequential(OrderedDict(named))


def measured(
    train: Sampled,
    test: Sampled | None = None,
    *,
    classes: int,
    network: nn.Module | None = None,
    spec: LayerSpec = ("fc",),
    where: str = "input",
    reduce: str = "flatten",
    weighting: str = "balanced",
    loss: str = "celoss",
    dtype: torch.dtype = torch.float64,
    batch_size: int = 512,
    estimation: Estimation | None = None,
    probe: bool = False,
    cdnv_exponent: float = 1.0,
) -> Measured:
    """Every row about features that enter ``fc``, the last layer unless ``network`` says otherwise."""
    splits = {"train": _split("train", train, classes)}
    if test is not None:
        splits["test"] = _split("test", test, classes)
    model = network or behind(linear(np.zeros((classes, splits["train"].images[0].numel()))))
    model = model.to(dtype)
    sample = splits["train"].images[:2].to(dtype)
    reduction = reduce_by_name(reduce, 0)
    layers = trace_layers(model, sample, spec, where=where, reduce=reduction)
    setup = Setup(
        splits=splits,
        layers=layers,
        spec=spec,
        where=where,
        reduce_name=reduce,
        reduce=reduction,
        loss=LOSSES[loss],
        weighting=weighting,
        batch_size=batch_size,
        dtype=dtype,
        device=torch.device("cpu"),
        estimation=estimation or Estimation(),
        probe=probe,
        cdnv_exponent=cdnv_exponent,
    )
    samples = {name: len(split) for name, split in splits.items()}
    plan = make_plan(layers, samples, classes, EVERYTHING, memory_bytes=10**9, item_bytes=dtype.itemsize)
    statistics = Collector(setup, plan).collect(model, EVERYTHING)
    named = MEASURES.items()
    return Measured([(name, row) for name, measure in named for row in table_rows(0, measure, statistics)])


def _split(name: str, sampled: Sampled, classes: int) -> InMemorySplit:
    features, labels = sampled
    images = torch.tensor(np.asarray(features))
    if images.ndim == 2:
        images = images[:, :, None, None]
    ones: Tensor = torch.ones(1, 1, 1, 1)
    return InMemorySplit(name, images, torch.tensor(labels), classes, Normalise(ones, 0 * ones), "none")


def simplex(classes: int, dim: int, seed: int = 0) -> np.ndarray:
    """Vertices (K, D) of a simplex ETF of unit length, in some directions."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, classes)))
    return np.sqrt(classes / (classes - 1)) * (np.eye(classes) - 1 / classes) @ basis.T


def around(means: np.ndarray, spread: float) -> Sampled:
    """2 D samples around each mean whose covariance is exactly ``spread``² I."""
    dim = means.shape[1]
    steps = spread * np.sqrt(dim) * np.concatenate([np.eye(dim), -np.eye(dim)])
    features = (means[:, None] + steps).reshape(-1, dim)
    return features, np.repeat(np.arange(len(means)), len(steps)).tolist()
