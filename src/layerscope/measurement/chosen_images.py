"""Which images of a split have their features kept one by one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from layerscope.data.split_part import SplitPart
from layerscope.measurement.setup import Setup
from layerscope.measures.base import EVERY_IMAGE, Need
from layerscope.statistics.feature_sample import even_choice

SAMPLE, PARTNERS = "sample", "partners"  # what a split's statistics call the features of chosen images


class ChosenImages:
    """The images that measures of a sample look at, and the stretches of the splits that they lie in.

    Parameters
    ----------
    setup : Setup
    parts : mapping
        Split name → what this process reads of it.
    """

    def __init__(self, setup: Setup, parts: Mapping[str, SplitPart]) -> None:
        self._setup, self._parts = setup, parts

    def part(self, name: str, needs: Need) -> SplitPart:
        """What this process forwards of a split: only the chosen images when nothing asks for all."""
        part = self._parts[name]
        if needs & EVERY_IMAGE:
            return part
        chosen = self.of(name, needs).values()
        return part.restricted(torch.cat([part.labels[:0], *chosen]).unique())  # type: ignore[no-untyped-call]

    def of(self, name: str, needs: Need) -> dict[str, Tensor]:
        """Places of the images of a split whose features are wanted one by one."""
        chosen = {}
        if needs & Need.SAMPLE:
            chosen[SAMPLE] = self._sampled(name)
        if needs & Need.PARTNERS and name == "train":
            chosen[PARTNERS] = self._paired()
        return chosen

    def _sampled(self, name: str) -> Tensor:
        """The chosen images of a split: labels and seed decide alone."""
        labels = self._parts[name].whole.labels
        return even_choice(labels, self._setup.sample, self._setup.sample_seed)

    def _paired(self) -> Tensor:
        """The train images that are paired with the chosen test images; none without pairs or test split."""
        pairs, device = self._setup.pairs, self._setup.device
        if pairs is None or "test" not in self._parts:
            return torch.empty(0, dtype=torch.int64, device=device)
        chosen = torch.isin(pairs.test, self._sampled("test").cpu())
        return pairs.train[chosen].unique().to(device)  # type: ignore[no-untyped-call]
