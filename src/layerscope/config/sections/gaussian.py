"""Key ``Data.gaussian``: the distribution of ``gaussian_classes``, and how much is drawn from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from layerscope.config.fields import AboveZero, BelowOne, Count, Expected, NotNegative, Positive
from layerscope.config.sections.base import Section

Classes = Annotated[int, Field(ge=2), Expected("a whole number of at least 2")]


class GaussianConfig(Section):
    """The distribution of ``gaussian_classes``, and how much is drawn from it."""

    classes: Classes = Field(default=10, description="How many classes there are, all equally frequent")
    height: Positive = Field(default=8, description="Height of the images")
    width: Positive = Field(default=8, description="Width of the images; their pixels are the dimensions")
    separation: NotNegative = Field(
        default=4.0, description="Distance between the means of any two classes, in standard deviations"
    )
    correlation: BelowOne = Field(
        default=0.0,
        description="Correlation r of neighbouring pixels (in reading order); of distant ones, r^n",
    )
    spread: AboveZero = Field(
        default=1.0, description="Standard deviation of the last class over that of the first"
    )
    train: Positive = Field(default=5000, description="Training samples")
    test: Positive = Field(default=1000, description="Test samples")
    seed: Count = Field(default=0, description="Of means and samples, which all runs share")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Sizes that do not go together."""
        if self.height * self.width < self.classes - 1:
            yield (
                "classes",
                f"({self.classes}) have means at equal distances only in {self.classes - 1} dimensions or "
                f"more; {self.height} x {self.width} pixels are {self.height * self.width}",
            )
        for key, samples in (("train", self.train), ("test", self.test)):
            if samples < self.classes:
                yield key, f"({samples}) is less than one sample for each of {self.classes} classes"
