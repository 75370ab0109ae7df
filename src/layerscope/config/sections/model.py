"""Section ``Model``: which network, and which of its layers are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import (
    AboveZero,
    AnyCase,
    Expected,
    Flag,
    Location,
    OnceEach,
    OneOrMore,
    Text,
    canonical,
)
from layerscope.config.lookup import canonical_model
from layerscope.config.sections.base import Section


def _layer_name(entry: Any) -> Any:
    """A layer may be called by a number (``nn.Sequential``); booleans and fractions are mistakes."""
    return str(entry) if isinstance(entry, int) and not isinstance(entry, bool) else entry


def _only_true(value: Any) -> Any:
    """1 equals True, but is no way to say "every layer"."""
    return True if value is True else None


Everything = Annotated[Literal[True], BeforeValidator(_only_true)]
LayerName = Annotated[str, BeforeValidator(_layer_name), Field(min_length=1)]
LayerNames = Annotated[tuple[LayerName, ...], OneOrMore, OnceEach, Field(min_length=1)]
Reduction = Annotated[
    str,
    AnyCase,
    Field(pattern=r"^(flatten|mean|cls|mean_token|project:[1-9][0-9]*)$"),
    Expected("flatten, mean, cls, mean_token or project:N (N dimensions)"),
]


class ModelConfig(Section):
    """Which network, and which of its layers are looked at."""

    model_name: Annotated[Text, canonical(canonical_model)] = Field(
        description="mlp…, convnet…, zoo/<name>, a torchvision name (with _pretrained), timm/<name> or "
        "module:function"
    )
    embedding_layers: Annotated[
        Everything | LayerNames,
        Expected("True (every layer) or a list of layer names (numbers in quotes)"),
    ] = Field(
        default=True,
        description="True: every leaf module; a list: modules whose dotted name, with ^ before it, ends so",
    )
    tap: Annotated[Literal["input", "output"], AnyCase] = Field(
        default="input", description="Measure what goes into a layer, or what comes out of it"
    )
    reduce: Reduction = Field(
        default="flatten",
        description="How a feature map becomes a vector: flatten, mean over space or tokens, cls (the first "
        "token), mean_token (the others' mean), or project:N at random",
    )
    stem: Annotated[Literal["imagenet", "cifar"], AnyCase] = Field(
        default="imagenet", description="cifar: a 3x3 first convolution without stride or pooling"
    )
    weights: Location | None = Field(default=None, description="A file of weights to start from")
    classifier_bias: Flag | None = Field(
        default=None, description="Whether the last layer has a bias; not set: as the architecture has it"
    )
    conv_init_std: AboveZero | None = Field(
        default=None,
        description="Draw the weights of all convolutions from a normal distribution with this standard "
        "deviation; not set: as usual for the architecture",
    )
    final_norm: Flag | None = Field(
        default=None,
        description="zoo/…: whether a normalisation stands before the classifier; not set: as usual there",
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Keys that would be ignored, or undone."""
        loaded = self.weights is not None or self.model_name.endswith("_pretrained")
        if self.conv_init_std is not None and loaded:
            yield "conv-init-std", "would be undone by the weights that the model starts from"
        if self.final_norm is not None and not self.model_name.startswith("zoo/"):
            yield "final-norm", f"means nothing for {self.model_name}; it is for models of zoo/"
