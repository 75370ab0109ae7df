"""Key ``Data.imbalance``: how many training samples each class keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from layerscope.config.fields import AnyCase, Count, Expected
from layerscope.config.sections.base import Section

Factor = Annotated[float, Field(gt=0, le=1), Expected("a number above 0 and at most 1")]


class ImbalanceConfig(Section):
    """How many training samples each class keeps."""

    factor: Factor | None = Field(
        default=None, description="Size of the rarest class as a share of the most frequent one's"
    )
    profile: Annotated[Literal["exp", "step", "native"], AnyCase] = Field(
        default="exp",
        description="How class sizes fall with the number of the class: geometrically, all at once after "
        "the first half, or as they are in the data",
    )
    min_per_class: Count = Field(default=1, description="No class keeps fewer samples than this")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """A factor that is missing, or that would be ignored."""
        if self.profile == "native" and self.factor is not None:
            yield "factor", f"of imbalance ({self.factor:g}) is ignored by profile: native, which keeps all"
        elif self.profile != "native" and self.factor is None:
            yield "factor", f"of imbalance is not set; profile: {self.profile} needs it, as {{factor: 0.01}}"
