"""What a measure is: the statistics that it needs, and the rows that it makes of them."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from layerscope.features.taps import Layer
from layerscope.functional.between import BetweenBasis, between_basis
from layerscope.functional.spectra import Spectrum
from layerscope.functional.weighting import ClassWeights, weights_by
from layerscope.measures.estimation import Estimation
from layerscope.pairing import ImagePairs
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.class_spectra import ClassSpectra
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.feature_sample import Sampled
from layerscope.statistics.nearest_center import NearestCenter
from layerscope.statistics.ood_mean import OutOfDistribution

if TYPE_CHECKING:
    from layerscope.measures.information.observed import Observed


class Need(enum.Flag):
    """Statistics that the engine can collect for a measure."""

    NOTHING = 0
    DECISIONS = enum.auto()  # the network's own, per split
    MOMENTS = enum.auto()  # class moments, per layer and split
    SCATTER = enum.auto()  # within-class variance along the class means (second sweep)
    NEAREST = enum.auto()  # nearest train class means (second sweep)
    SPECTRUM = enum.auto()  # singular values of the layer's weight, and a right vector for each class
    VECTORS = enum.auto()  # a hundred of those vectors
    SPECTRA = enum.auto()  # spectra of the class covariances (second sweep)
    OOD = enum.auto()  # mean feature of the out-of-distribution set, per layer
    SAMPLE = enum.auto()  # features of the same few images in every layer, and these images, per split
    PAIRS = enum.auto()  # pairs of test and train images
    PARTNERS = enum.auto()  # features of the train images that are paired with the test split's sample


SECOND_SWEEP = Need.SCATTER | Need.NEAREST | Need.SPECTRA
EVERY_IMAGE = Need.DECISIONS | Need.MOMENTS | SECOND_SWEEP  # all other needs are content with chosen images
FIRST_SWEEP = Need.DECISIONS | Need.MOMENTS | Need.SAMPLE | Need.OOD | Need.PARTNERS


@dataclass
class SplitStatistics:
    """What was collected for one layer on one split.

    ``sample`` holds rows of the same images in every layer, by class and then by index; ``partners``, of the
    train split, those of the images that are paired with the test split's sample.
    """

    moments: ClassMoments | None = None
    basis: BetweenBasis | None = None
    scatter: DirectionalScatter | None = None
    nearest: NearestCenter | None = None
    spectra: ClassSpectra | None = None
    sample: Sampled | None = None
    partners: Sampled | None = None


@dataclass
class LayerStatistics:
    """What was collected for one layer.

    Attributes
    ----------
    layer : Layer
    module : nn.Module
        The tapped module, for its weight.
    where, reduce : str
        How the layer was tapped.
    splits : dict
        Split name → statistics.
    spectrum : Spectrum, optional
        Of the module's weight as a matrix, with its leading vectors; None when the module has none.
    ood : OutOfDistribution, optional
        Of the out-of-distribution set; None when there is none.
    """

    layer: Layer
    module: nn.Module
    where: str
    reduce: str
    splits: dict[str, SplitStatistics] = field(default_factory=dict)
    spectrum: Spectrum | None = None
    ood: OutOfDistribution | None = None


@dataclass
class CheckpointStatistics:
    """Everything that was collected for one checkpoint.

    Attributes
    ----------
    weighting : str
    layers : list of LayerStatistics
        In execution order.
    decisions : dict
        Split → counts of the network's own decisions.
    loss_unit : str
    probe : bool
        Whether the classifier is a probe on features that were learnt without labels.
    decided, labels : dict
        Split → the network's decision on every sample, and every sample's label (N,), in stored order;
        like ``decisions`` they are there when a need asks for every image.
    images : dict
        Split → the images of :attr:`SplitStatistics.sample`, as rows: the same samples in the same order.
    estimation : Estimation
        How measures of the sample estimate.
    pairs : ImagePairs, optional
        Test images with a train image each; None when there are none.
    cdnv_exponent : float
        Exponent of the squared distances in CDNV.
    observed : dict
        (Index of a layer, split) → what these measures worked out together.
    """

    weighting: str
    layers: list[LayerStatistics]
    decisions: dict[str, Decisions] = field(default_factory=dict)
    loss_unit: str = "nat"
    decided: dict[str, Tensor] = field(default_factory=dict)
    labels: dict[str, Tensor] = field(default_factory=dict)
    images: dict[str, Sampled] = field(default_factory=dict)
    estimation: Estimation = field(default_factory=Estimation)
    pairs: ImagePairs | None = None
    probe: bool = False
    cdnv_exponent: float = 1.0
    observed: dict[tuple[int, str], Observed] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen, which takes three times as long, tens of thousands of times a checkpoint
class Value:
    """One number of a measure: its qualifiers, the number, and whether it can be trusted.

    ``status`` is ``ok``; ``undefined`` (NaN: too few classes or samples); ``infinite``; ``degenerate`` (a
    value is given, but ``reason`` makes it fragile or trivial); ``skipped`` (the measure does not apply to
    this layer). ``unit`` is ``1`` for pure numbers, or ``feature^2``, ``weight``, ``logit``, ``nat``,
    ``count``.
    Estimates may come with ``error``, their standard error, and ``ceiling``, the largest value that the
    estimator can give on such data; both in the value's unit.
    """

    qualifiers: Mapping[str, str | int]
    value: float
    status: str = ""
    unit: str = "1"
    error: float | None = None
    ceiling: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.status:
            self.status = status_of(self.value, degenerate=bool(self.reason))
        if self.reason and self.status != "degenerate":
            self.reason = ""


def because(**reasons: bool) -> str:
    """The names of the reasons that hold, joined by ``+``; empty when none does."""
    return "+".join(name for name, holds in reasons.items() if holds)


def status_of(value: float, *, degenerate: bool = False) -> str:
    """Status that a value's own nature implies."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite"
    return "degenerate" if degenerate else "ok"


@dataclass(frozen=True)
class Subject:
    """What a group of values speaks about: the common columns of their rows.

    ``where`` and ``reduce`` tell how features were taken; empty where no features are involved.
    ``singletons``: how many of the classes have a single sample.
    """

    split: str
    layer_name: str
    layer_index: int
    samples: int
    classes: int
    dim: int
    where: str = ""
    reduce: str = ""
    singletons: int = 0


class Measure(Protocol):
    """A named quantity, computed per checkpoint."""

    @property
    def name(self) -> str:
        """Name of its table."""
        ...

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """Columns that tell its values of one layer and split apart."""
        ...

    @property
    def needs(self) -> Need:
        """Statistics that it is computed from."""
        ...

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """The measure's values for one checkpoint."""
        ...


def each_split(
    statistics: CheckpointStatistics,
) -> Iterator[tuple[Subject, LayerStatistics, SplitStatistics, ClassMoments]]:
    """Every layer and split that has class moments, with the common columns of its rows."""
    for entry in statistics.layers:
        for name, split in entry.splits.items():
            moments = split.moments
            if moments is not None:
                yield split_subject(entry, name, moments), entry, split, moments


def each_sample(
    statistics: CheckpointStatistics,
) -> Iterator[tuple[Subject, LayerStatistics, str, Sampled]]:
    """Every layer and split that has a sample, with the split's name and the common columns of its rows.

    ``samples`` and ``classes`` are those of the sample.
    """
    for entry in statistics.layers:
        layer = entry.layer
        for name, split in entry.splits.items():
            if split.sample is not None:
                counts = torch.unique(split.sample.labels, return_counts=True)[1]
                size, classes = len(split.sample.labels), len(counts)
                taken = (layer.dim, entry.where, entry.reduce, int((counts == 1).sum()))
                yield Subject(name, layer.name, layer.index, size, classes, *taken), entry, name, split.sample


def split_subject(entry: LayerStatistics, split: str, moments: ClassMoments) -> Subject:
    """Common columns of the rows about one layer and split."""
    layer = entry.layer
    return Subject(
        split,
        layer.name,
        layer.index,
        moments.samples,
        len(moments.present),
        layer.dim,
        entry.where,
        entry.reduce,
        singletons_of(moments.counts),
    )


def singletons_of(counts: Tensor) -> int:
    """How many classes have a single sample, of their sizes (K,)."""
    return int((counts == 1).sum())


def weights_subject(entry: LayerStatistics) -> Subject:
    """Common columns of the rows about the weight of one layer."""
    return Subject("weights", entry.layer.name, entry.layer.index, 0, 0, entry.layer.dim)


def class_weights_of(moments: ClassMoments, statistics: CheckpointStatistics) -> ClassWeights:
    """Class weights (K+,) that the run's weighting gives."""
    return weights_by(statistics.weighting, moments.counts[moments.present])


def basis_by(moments: ClassMoments, weighting: str) -> BetweenBasis:
    """Directions of the class means with the weights that a weighting gives."""
    weights = weights_by(weighting, moments.counts[moments.present])
    return between_basis(moments.means, weights.between, center=weights.center)
