"""Section ``Measurements``: what is measured in every layer of every kept epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import (
    AboveZero,
    AnyCase,
    AsTuple,
    Count,
    Expected,
    OnceEach,
    OneOrMore,
    Positive,
)
from layerscope.config.lookup import canonical_measures, selected_measures
from layerscope.config.names import MEASURE_GROUPS
from layerscope.config.sections.base import Section
from layerscope.config.sections.information import ALL_EIGENVALUES, InformationConfig, neighbors_of
from layerscope.config.sections.pairs import PairsConfig

_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b", re.IGNORECASE)


def memory_bytes(size: str | int) -> int:
    """Bytes of a size: ``512MB`` is 512 · 10⁶, ``4GiB`` is 4 · 2³⁰, a bare number is bytes.

    Raises
    ------
    ValueError
        Not a size, or not above 0.
    """
    match = _MEMORY.fullmatch(size.strip()) if isinstance(size, str) else None
    if isinstance(size, str) and match is None:
        raise ValueError(f"{size!r} is not a size such as 4GB, 512MB, 1.5GiB")
    if match is None:
        count = int(size)
    else:
        power = " kmgt".index(match[2].lower() or " ")
        count = int(float(match[1]) * (1024 if match[3] else 1000) ** power)
    if count < 1:
        raise ValueError(f"{size!r} leaves no memory at all")
    return count


def _measure_names(value: Any) -> Any:
    if value is True:
        return ("All",)
    if isinstance(value, str):
        return canonical_measures(value)
    if not isinstance(value, (list, tuple)):
        return value
    if not all(isinstance(item, str) for item in value):
        return tuple(value)
    return tuple(dict.fromkeys(name for item in value for name in canonical_measures(item)))


def _checked_memory(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        memory_bytes(value)
    return value


Measures = Annotated[
    tuple[str, ...],
    BeforeValidator(_measure_names),
    Field(min_length=1),
    Expected("True (all), a name, groups joined by _ (Fast_StableRank), or a list of names"),
]
SampleSizes = Annotated[tuple[Positive, ...], AsTuple, Expected("a list of whole numbers of at least 1")]
Split = Annotated[Literal["train", "validation", "test"], AnyCase]
Memory = Annotated[
    str | int, BeforeValidator(_checked_memory), Expected("a size such as 4GB, or a whole number of bytes")
]


class MeasurementsConfig(Section):
    """What is measured in every layer of every kept epoch."""

    measures: Measures = Field(
        default=("Fast",),
        description="True (all), a name, groups joined by _ (Fast_StableRank), or a list of names",
    )
    splits: Annotated[tuple[Split, ...], OneOrMore, OnceEach, Field(min_length=1)] = Field(
        default=("train", "test"), description="The data that measures look at: train, validation, test"
    )
    weighting: Annotated[Literal["balanced", "sample", "papyan", "rnc", "inc"], AnyCase] = Field(
        default="balanced",
        description="In averages over classes, let each class or each sample count the same, or do as other "
        "code does: papyan, rnc, inc",
    )
    cdnv_exponent: AboveZero = Field(
        default=1.0,
        description="CDNV and CDNVPairs: the exponent of the squared distances of class means; 1 is the "
        "definition, others have a unit and no NC layer",
    )
    sample: Positive = Field(
        default=2000,
        description="Images of each split whose features are kept for measures of a sample, the same "
        "ones in every layer and epoch, evenly over the classes",
    )
    repeats: Count = Field(
        default=0,
        description="Random halves of the sample from which estimates get a standard error; 0: none. "
        "LatentMI and PairedLatentMI have errors of their own halves",
    )
    n_grid: SampleSizes = Field(
        default=(),
        description="Smaller sizes of the sample (DiscreteMI: of all pairs) at which estimates from it are "
        "made as well",
    )
    information: Annotated[InformationConfig, Expected("keys with values ('bandwidth: median')")] = Field(
        default_factory=InformationConfig, description="How information and entropy are estimated"
    )
    pairs: Annotated[PairsConfig, Expected("keys with values ('encoder: pixels')")] = Field(
        default_factory=PairsConfig, description="Which test and train images belong together"
    )
    batch_size: Positive | None = Field(
        default=None, description="Images in one step of measuring; not set: chosen from memory"
    )
    memory: Memory = Field(
        default="4GB", description="The memory that measuring may use: 4GB, 512MB, 2GiB, or bytes"
    )
    precision: Annotated[Literal["float32", "float64"], AnyCase] = Field(
        default="float32", description="The arithmetic of the features; sums are kept in float64 either way"
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Halves that are too few to tell a spread, and sizes that are no part of the sample."""
        if self.repeats == 1:
            yield "repeats", "is 1, which tells no spread; a standard error takes 2 halves at least"
        if too_large := [size for size in self.n_grid if size >= self.sample]:
            yield "n-grid", f"has {too_large[0]}, which is not smaller than sample ({self.sample})"
        yield from self._neighbor_conflicts()
        if min(self.information.times) < 1 and self.sample > ALL_EIGENVALUES:
            yield (
                "sample",
                f"is {self.sample}, but powers below 1 (information.times) take every eigenvalue, which are "
                f"computed for {ALL_EIGENVALUES} images at most",
            )

    def _neighbor_conflicts(self) -> Iterator[tuple[str, str]]:
        """A sample, or half of one, that is too small for K nearest neighbours."""
        smallest, named = min((*self.n_grid, self.sample)), "sample" if not self.n_grid else "n-grid"
        size = smallest // 2 if self.repeats else smallest
        what = f"halves of {smallest} ({named}, repeats)" if self.repeats else f"{smallest} ({named})"
        for key in ("bandwidth", "adjacency"):
            if size <= neighbors_of(rule := getattr(self.information, key)):
                yield "information", f"has {key} {rule}, which takes more samples than {what}"

    @property
    def selected(self) -> tuple[str, ...]:
        """The measures asked for, groups spelt out, in the order of the registry."""
        return selected_measures(self.measures)

    @property
    def empty_groups(self) -> tuple[str, ...]:
        """The groups asked for that hold no measure in this version."""
        return tuple(name for name in self.measures if MEASURE_GROUPS.get(name) == ())

    @property
    def memory_bytes(self) -> int:
        """``memory`` in bytes."""
        return memory_bytes(self.memory)
