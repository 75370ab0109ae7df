"""Section ``Screen``: which networks are compared with each other, and how their accuracy is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import AnyCase, Expected, OnceEach, OneOrMore, Text, canonical
from layerscope.config.lookup import canonical_model
from layerscope.config.sections.base import Section

ModelName = Annotated[Text, canonical(canonical_model)]
ModelNames = Annotated[tuple[ModelName, ...], OneOrMore, OnceEach, Expected("a list of names of models")]


class WeightsFiles(Section):
    """Files of weights, all of networks of one kind."""

    files: Annotated[tuple[Text, ...], OneOrMore, OnceEach, Field(min_length=1)] = Field(
        description="Files, folders of files, or patterns with *"
    )
    model: ModelName | None = Field(
        default=None,
        description="Whose weights they are; not set: of the run in whose folder a file lies, else of "
        "Model.model-name",
    )


def _entries(value: Any) -> Any:
    """Paths alone stand for files of which no more is said."""
    items = value if isinstance(value, list) else [value]
    return tuple({"files": item} if isinstance(item, str) else item for item in items)


Checkpoints = Annotated[
    tuple[WeightsFiles, ...],
    BeforeValidator(_entries),
    Expected("a list of paths, or of {model: …, files: …}"),
]


class ScreenConfig(Section):
    """Which networks are compared with each other, and how their accuracy is told."""

    models: ModelNames = Field(
        default=(),
        description="Names as of Model.model-name: with _pretrained the published weights, else initialised "
        "at random",
    )
    checkpoints: Checkpoints = Field(default=(), description="Files of weights from anywhere")
    accuracy: Annotated[Literal["auto", "centers", "probe"], AnyCase] = Field(
        default="auto",
        description="Whose decisions count: auto, the network's own classifier where it learnt so many "
        "classes, else the nearest class centre; centers, that for all; probe, a linear probe for all",
    )
    inputs: Annotated[Literal["auto", "data", "published"], AnyCase] = Field(
        default="auto",
        description="published: scale images to the size and the normalisation of the published weights; "
        "data: as they are; auto: published for names with _pretrained",
    )
    images: Annotated[Literal["sample", "all"], AnyCase] = Field(
        default="sample",
        description="sample: everything is of Measurements.sample images of each split; all: accuracies are "
        "of every image",
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Nothing to compare."""
        if not (self.models or self.checkpoints):
            yield "models", "and checkpoints are both empty; name networks to compare"
