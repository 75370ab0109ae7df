"""Key ``Measurements.pairs``: which test and train images belong together, and how that is found out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import AnyCase, Count, Expected, Location, Positive, Text
from layerscope.config.sections.base import Section

TIMM = "timm/"
"""Begins the name of an encoder that is a model of timm."""

_OWN = ("pixels", "pca", "whitened", "features")
_TIMM_NAME = re.compile(r"timm/[a-z0-9_.]+")


def _checked_encoder(value: Any) -> Any:
    known = not isinstance(value, str) or value.lower() in _OWN or _TIMM_NAME.fullmatch(value.lower())
    return value.lower() if isinstance(value, str) and known else None


Encoder = Annotated[
    str, BeforeValidator(_checked_encoder), Expected(f"{', '.join(_OWN)} or timm/<name>, a model of timm")
]


class PairsConfig(Section):
    """Pairs of test and train images of the same meaning, for information between decisions on both."""

    method: Annotated[Literal["nn", "nn_class", "assign_class"], AnyCase] = Field(
        default="nn",
        description="nn: the nearest train image; nn_class: the nearest of the test image's label; "
        "assign_class: one to one within the label",
    )
    encoder: Encoder = Field(
        default="pixels",
        description="The space in which images are near: pixels, pca (leading principal components of the "
        "pixels), whitened (the same, all of variance 1), features (of the last checkpoint) or timm/<name>",
    )
    components: Positive | None = Field(
        default=None, description="pca, whitened: how many principal components; not set: 64"
    )
    layer: Text | None = Field(
        default=None,
        description="features: the dotted name of any module; not set: the last layer that is measured",
    )
    weights: Location | None = Field(default=None, description="timm/<name>: the file of its weights")
    permutations: Count = Field(
        default=100, description="Tables of broken-up pairs that tell what chance alone gives; 0: none"
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Keys of another encoder, and weights that are missing."""
        timm = self.encoder.startswith(TIMM)
        if self.components is not None and self.encoder not in ("pca", "whitened"):
            yield "components", f"means nothing for encoder: {self.encoder}; it is for pca and whitened"
        if self.layer is not None and self.encoder != "features":
            yield "layer", f"means nothing for encoder: {self.encoder}; it is for features"
        if self.weights is not None and not timm:
            yield "weights", f"means nothing for encoder: {self.encoder}; it is for timm/<name>"
        if timm and self.weights is None:
            yield (
                "encoder",
                f"is {self.encoder}, which needs pairs.weights: a file of its weights, since nothing is "
                "downloaded",
            )
