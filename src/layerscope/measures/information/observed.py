"""What estimates see of one layer: features, labels, inputs, of the same images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from layerscope.functional.affinity import Affinity, Precision, gaussian_affinity
from layerscope.functional.bandwidth import bandwidth_of
from layerscope.functional.binned import entropy_of_counts
from layerscope.functional.class_parts import ClassParts, class_parts
from layerscope.functional.diffusion import diffusion_spectrum, part_spectra
from layerscope.functional.eigenvalues import Eigenvalues
from layerscope.functional.ksg import (
    NeighborInformation,
    ksg_mutual_information,
    label_mutual_information,
)
from layerscope.functional.principal import principal_components
from layerscope.functional.units import in_units
from layerscope.measures.estimation import Estimation
from layerscope.statistics.feature_sample import Sampled


@dataclass(frozen=True, eq=False)
class Observed:
    """A sample of one layer and split.

    Attributes
    ----------
    features : Tensor (n, D)
    labels : Tensor (n,)
    images : Sampled
        The whole sample's images; ``rows`` (n,) are those that are seen here.
    rows : Tensor (n,)
    split : str
    estimation : Estimation
    partnered : bool
        Whether the images are features of paired images.
    keeps_kernel : bool
        Whether the kernel stays for the measures that follow.
    """

    features: Tensor
    labels: Tensor
    images: Sampled
    rows: Tensor
    split: str
    estimation: Estimation
    partnered: bool = False
    keeps_kernel: bool = True

    def __len__(self) -> int:
        return len(self.labels)

    def restricted(self, index: Tensor) -> Observed:
        """Only these of the samples."""
        seen = self.features[index], self.labels[index], self.images, self.rows[index]
        return Observed(*seen, self.split, self.estimation, self.partnered)

    @property
    def inputs(self) -> Tensor:
        """The images (n, pixels)."""
        return self.images.features[self.rows]

    @property
    def clusters(self) -> Tensor:
        """The group (n,) of each image among the clustered images of the whole sample."""
        return self.estimation.clusters_of(self.split, self.images)[self.rows]

    @property
    def label_entropy(self) -> float:
        """H(Y), plug-in, in the units of the settings."""
        return in_units(entropy_of_counts(self.labels.bincount()), self.estimation.settings.units)

    @property
    def has_kernel(self) -> bool:
        """Whether there are enough samples for the rule of the kernel's bandwidth."""
        return len(self) > self.estimation.settings.fewest

    @cached_property
    def bandwidth(self) -> float:
        """Of the kernel, by the rule of the settings."""
        return bandwidth_of(self.features, self.estimation.settings.bandwidth, seed=self.estimation.seed)

    def affinity(self, precision: Precision | None = None) -> Affinity:
        """Gaussian kernel of the features; without their coordinates when all entries are there."""
        wanted = precision or self.estimation.precision
        if self.keeps_kernel and wanted == self.estimation.precision:
            return self._kernel
        return self._new_kernel(wanted)

    @cached_property
    def _kernel(self) -> Affinity:
        return self._new_kernel(self.estimation.precision)

    def _new_kernel(self, precision: Precision) -> Affinity:
        bandwidth = self.bandwidth or self.estimation.settings.bandwidth  # 0 is what a rule may give, only
        kernel = gaussian_affinity(self.features, bandwidth, precision=precision, seed=self.estimation.seed)
        return kernel if kernel.dense is None else replace(kernel, points=kernel.points[:, :0].clone())

    @cached_property
    def spectrum(self) -> Eigenvalues:
        """Spectrum of the diffusion on all samples."""
        alpha, seed = self.estimation.settings.alpha, self.estimation.seed
        return diffusion_spectrum(self.affinity(), alpha=alpha, seed=seed)

    @cached_property
    def label_parts(self) -> ClassParts[Eigenvalues]:
        """Spectra of all samples, of each class, and of random subsets as large as the classes."""
        return self.parts_of(self.labels)

    def parts_of(self, labels: Tensor) -> ClassParts[Eigenvalues]:
        """The same by other labels (n,) of the samples."""
        affinity, alpha, seed = self.affinity(), self.estimation.settings.alpha, self.estimation.seed
        return class_parts(
            lambda everything: self.spectrum,
            labels,
            seed=seed,
            together=lambda parts: part_spectra(affinity, parts, alpha=alpha, seed=seed),
        )

    @cached_property
    def label_neighbors(self) -> NeighborInformation | None:
        """What labels tell of the components, by nearest neighbours; None when no label has two samples."""
        if int(self.labels.bincount().max()) < 2:
            return None
        settings = self.estimation.settings
        return label_mutual_information(
            self.components, self.labels, k=settings.neighbors, units=settings.units
        )

    @cached_property
    def input_neighbors(self) -> NeighborInformation | None:
        """What the images' components tell of the features'; None with no more samples than neighbours."""
        settings = self.estimation.settings
        if len(self) <= settings.neighbors:
            return None
        return ksg_mutual_information(
            self.input_components, self.components, k=settings.neighbors, units=settings.units
        )

    @cached_property
    def components(self) -> Tensor:
        """Leading principal components of the features, as many as the settings say."""
        return self._reduced(self.features)

    @cached_property
    def input_components(self) -> Tensor:
        """Those of the images; of a whole sample worked out once for all layers and checkpoints."""
        if len(self) < len(self.images.labels) or self.partnered:
            return self._reduced(self.inputs)
        return self.estimation.input_components_of(self.split, self.images, self._reduced)

    def _reduced(self, points: Tensor) -> Tensor:
        count = self.estimation.settings.components
        return points.double() if count is None else principal_components(points, count)
