"""A network with every kind of tap, its forward pass written out by hand, and small splits to feed it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.data.normalise import Normalise
from layerscope.data.split import InMemorySplit
from layerscope.features.reduce import Reduce, reduce_by_name
from layerscope.features.taps import trace_layers
from layerscope.functional.matching import nearest_matches
from layerscope.measurement.measure import table_rows
from layerscope.measurement.plan import make_plan
from layerscope.measurement.sweeps import Collector, Setup
from layerscope.measures.base import CheckpointStatistics, Measure, Need
from layerscope.measures.catalog import OF_PAIRS, SAMPLED
from layerscope.measures.registry import MEASURES
from layerscope.pairing import ImagePairs
from layerscope.training.criterion import LOSSES

from .naive_measures import NaiveLayer

SHAPE = (2, 4, 4)
TAPPED = ("conv1", "relu", "conv2", "fc1", "fc2")
SEED = 11  # of the random projection
CPU = torch.device("cpu")
EVERYTHING = ~Need.NOTHING
MEANS = EVERYTHING & ~Need.SPECTRA  # what takes no more memory than the class means
OTHERS = 13  # images of another kind
Rows = dict[tuple, dict[str, object]]


class TinyNet(nn.Module):
    """Convolutions (one grouped), an in-place ReLU that is called three times, dropout, two linear layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(24, 7)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(7, classes)
        self.passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        hidden = self.relu(self.conv1(images))
        hidden = self.pool(self.relu(self.conv2(hidden)))
        hidden = self.relu(self.fc1(hidden.flatten(1)))
        return self.fc2(self.drop(hidden))

    @torch.no_grad()
    def trail(self, images: Tensor) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor]:
        """Input and output of every layer, and the logits, without a hook and without changing anything."""
        steps: dict[str, tuple[Tensor, Tensor]] = {}

        def step(name: str, before: Tensor, after: Tensor) -> Tensor:
            steps[name] = (before, after)
            return after

        x = step("conv1", images, F.conv2d(images, self.conv1.weight, self.conv1.bias, padding=1))
        x = step("relu@1", x, x.clamp(min=0))
        x = step("conv2", x, F.conv2d(x, self.conv2.weight, self.conv2.bias, padding=1, groups=2))
        x = step("relu@2", x, x.clamp(min=0))
        x = step("pool", x, F.max_pool2d(x, 2)).flatten(1)
        x = step("fc1", x, F.linear(x, self.fc1.weight, self.fc1.bias))
        x = step("relu@3", x, x.clamp(min=0))
        x = step("drop", x, x)
        logits = step("fc2", x, F.linear(x, self.fc2.weight, self.fc2.bias))
        return steps, logits


@dataclass(frozen=True)
class Case:
    """How many samples of every class each split has, and where the images lie."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    offset: float = 0.0

    @property
    def classes(self) -> int:
        return len(self.train)


BALANCED = Case((9,) * 5, (6,) * 5)
IMBALANCED = Case((17, 11, 6, 3, 8), (4, 9, 2, 7, 5))
EMPTY_CLASS = Case((9, 7, 8, 6, 5), (6, 5, 0, 7, 4))
MANY_CLASSES = Case((5, 4, 6, 3, 5, 4, 7, 3, 4), (3,) * 9)  # more than one above fc2's seven inputs
FAR_AWAY = Case((9, 7, 8, 6, 5), (6, 5, 3, 7, 4), offset=1e4)
CASES = {
    "balanced": BALANCED,
    "imbalanced": IMBALANCED,
    "empty class in test": EMPTY_CLASS,
    "more classes than dimensions": MANY_CLASSES,
    "far from the origin": FAR_AWAY,
}


def split_of(name: str, images: Tensor, labels: Tensor, classes: int) -> InMemorySplit:
    """Images that reach the network as they are."""
    ones, zeros = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    return InMemorySplit(name, images, labels, classes, Normalise(ones, zeros), "none")


def splits_of(case: Case) -> dict[str, InMemorySplit]:
    """Gaussian classes in shuffled order; both splits have the same true means."""
    draw = np.random.default_rng(5)
    means = draw.standard_normal((case.classes, *SHAPE))
    splits = {}
    for name, counts in (("train", case.train), ("test", case.test)):
        labels = draw.permutation(np.repeat(np.arange(case.classes), counts))
        images = case.offset + means[labels] + 0.6 * draw.standard_normal((len(labels), *SHAPE))
        splits[name] = split_of(name, torch.tensor(images).float(), torch.tensor(labels), case.classes)
    return splits


def pairs_of(splits: dict[str, InMemorySplit]) -> ImagePairs:
    """Every test image with the train image that is nearest to it by direction."""
    found = nearest_matches(*(splits[name].images.flatten(1) for name in ("test", "train")))
    return ImagePairs(found.queries, found.points, found.cosines, {})


def other_images() -> InMemorySplit:
    """Images of no class."""
    images = 1.5 + np.random.default_rng(9).standard_normal((OTHERS, *SHAPE))
    return split_of("ood", torch.tensor(images).float(), torch.zeros(OTHERS, dtype=torch.int64), 1)


def network_of(classes: int) -> TinyNet:
    """The same weights for the same number of classes, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return TinyNet(classes)


@dataclass
class Bench:
    """A network, its splits, and how they are measured."""

    case: Case = IMBALANCED
    where: str = "input"
    reduce_name: str = "flatten"
    weighting: str = "balanced"
    dtype: torch.dtype = torch.float64
    loss: str = "celoss"
    batch_size: int = 16
    memory: int = 10**9
    sample: int = 12
    needs: Need = EVERYTHING
    spec: Sequence[str] = TAPPED
    model: TinyNet = field(init=False)
    splits: dict[str, InMemorySplit] = field(init=False)
    ood: InMemorySplit | None = field(init=False, default_factory=other_images)

    def __post_init__(self):
        self.model = network_of(self.case.classes).to(self.dtype)
        self.splits = splits_of(self.case)

    @property
    def reduce(self) -> Reduce:
        return reduce_by_name(self.reduce_name, SEED)

    def setup(self) -> Setup:
        images = torch.zeros(2, *SHAPE, dtype=self.dtype)
        layers = trace_layers(self.model, images, self.spec, where=self.where, reduce=self.reduce)
        return Setup(
            splits=self.splits,
            layers=layers,
            spec=self.spec,
            where=self.where,
            reduce_name=self.reduce_name,
            reduce=self.reduce,
            loss=LOSSES[self.loss],
            weighting=self.weighting,
            batch_size=self.batch_size,
            dtype=self.dtype,
            device=CPU,
            sample=self.sample,
            sample_seed=SEED,
            ood=self.ood,
            pairs=pairs_of(self.splits) if "train" in self.splits else None,
        )

    def collector(self, needs: Need | None = None) -> Collector:
        setup, needs = self.setup(), self.needs if needs is None else needs
        samples = {name: len(split) for name, split in self.splits.items()}
        sizes = {"memory_bytes": self.memory, "item_bytes": self.dtype.itemsize}
        return Collector(setup, make_plan(setup.layers, samples, self.case.classes, needs, **sizes))

    def statistics(self):
        return self.collector().collect(self.model, self.needs)

    def rows(self) -> Rows:
        """Every row of every measure of whole splits, by measure, split, layer and qualifiers."""
        return rows_from(self.statistics(), self.needs, without=SAMPLED | OF_PAIRS)

    def naive_layers(self) -> tuple[list[NaiveLayer], dict[str, np.ndarray]]:
        """The layers and the logits as the forward pass written out by hand gives them."""
        trails = {}
        for name, split in (self.splits | ({"ood": self.ood} if self.ood else {})).items():
            batches = [self.model.trail(x.to(self.dtype)) for x, _ in split.batches(self.batch_size)]
            trails[name] = batches
        logits = {n: np.concatenate([out.numpy() for _, out in batches]) for n, batches in trails.items()}
        names = [name for name in trails["train"][0][0] if name.partition("@")[0] in self.spec]
        return [self._naive_layer(name, trails) for name in names], logits

    def _naive_layer(self, name: str, trails) -> NaiveLayer:
        side = ("input", "output").index(self.where)
        features, shape = {}, ()
        for split, batches in trails.items():
            whole = np.concatenate([steps[name][side].numpy() for steps, _ in batches])
            features[split], shape = naively_reduced(whole, self.reduce_name)
        module = self.model.get_submodule(name.partition("@")[0])
        weight = getattr(module, "weight", None)
        reads = None
        if self.where == "input" and not self.reduce_name.startswith("project"):
            reads = {"conv1": "conv", "fc1": "linear", "fc2": "linear"}.get(name)  # conv2 is grouped
        bias = getattr(module, "bias", None)
        weight, bias = (None if part is None else part.detach().numpy() for part in (weight, bias))
        return NaiveLayer(name, features, weight, reads, shape, bias)


def naively_reduced(values: np.ndarray, name: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Features (N, D), and the shape of one sample's."""
    rows = np.stack([sample.ravel() for sample in values])
    if name.startswith("project:"):
        dim, width = int(name.split(":")[1]), rows.shape[1]
        if width > dim:
            generator = torch.Generator().manual_seed(SEED)
            matrix = torch.randn(width, dim, generator=generator, dtype=torch.float64).numpy() / np.sqrt(dim)
            rows = rows @ matrix.astype(rows.dtype)
        return rows, rows.shape[1:]
    if name == "mean" and values.ndim == 4:
        rows = np.stack([[channel.mean() for channel in sample] for sample in values])
        return rows, (rows.shape[1],)
    return rows, values.shape[1:]


def rows_from(statistics: CheckpointStatistics, needs: Need, *, without: Collection[str]) -> Rows:
    """The rows of the measures that need no more than that, but for some."""
    return {
        key_of(measure, row): row
        for measure in MEASURES.values()
        if measure.needs in needs and measure.name not in without
        for row in table_rows(0, measure, statistics)
    }


def key_of(measure: Measure, row: dict[str, object]) -> tuple:
    """What tells a row apart, spelt as in the naive reference."""
    qualifiers = tuple(sorted((name, row[name]) for name in measure.qualifiers))
    return measure.name, row["split"], row["layer_name"], qualifiers


def assert_same_rows(found: Rows, expected: Rows, *, rtol: float, atol: float = 1e-13) -> None:
    """The same keys, statuses and values, up to rounding."""
    assert found.keys() == expected.keys()
    for key, row in found.items():
        other = expected[key]
        assert row | {"value": 0} == other | {"value": 0}, key
        np.testing.assert_allclose(row["value"], other["value"], rtol=rtol, atol=atol, err_msg=str(key))
