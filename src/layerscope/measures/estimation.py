"""How the measures of a sample estimate, and what they share over layers and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from layerscope.config.sections.information import InformationConfig
from layerscope.functional.affinity import Precision
from layerscope.functional.clusters import cluster_inputs
from layerscope.statistics.feature_sample import Sampled


@dataclass(frozen=True)
class Estimation:
    """Settings of estimates from a sample.

    Attributes
    ----------
    settings : InformationConfig
    repeats : int
        Random halves of the sample from which standard errors are made; fewer than two: none.
    grid : tuple of int
        Sizes of smaller samples from which everything is estimated as well.
    seed : int
        Of all random choices.
    permutations : int
        Tables of broken-up pairs that tell what chance alone gives.
    precision : "float64" | "float32"
        Of the kernels of diffusions and their eigenvalues.
    """

    settings: InformationConfig = field(default_factory=InformationConfig)
    repeats: int = 0
    grid: tuple[int, ...] = ()
    seed: int = 0
    permutations: int = 100
    precision: Precision = "float64"
    _components: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    _clusters: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def unit(self) -> str:
        """Unit of an information, as tables name it."""
        return self.settings.units.removesuffix("s")

    def clusters_of(self, split: str, images: Sampled) -> Tensor:
        """Labels (n,) of the clustered images of a split's sample, made once for all layers and epochs."""
        if split not in self._clusters:
            count = min(self.settings.clusters, len(images.features))
            self._clusters[split] = cluster_inputs(images.features, count, seed=self.seed)
        return self._clusters[split]

    def input_components_of(self, split: str, images: Sampled, reduced: Callable[[Tensor], Tensor]) -> Tensor:
        """Principal components (n, m) of the images of a split's sample, made once as well."""
        if split not in self._components:
            self._components[split] = reduced(images.features)
        return self._components[split]
