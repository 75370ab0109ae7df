"""A whole config: its sections, its full spelling, and the identity of the weights it leads to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from layerscope.config.between_sections import conflicts_between
from layerscope.config.names import OWN_DATASETS, SLURM_SECTION
from layerscope.config.sections.base import Conflicts, Section
from layerscope.config.sections.data import DataConfig
from layerscope.config.sections.logging import LoggingConfig
from layerscope.config.sections.measurements import MeasurementsConfig
from layerscope.config.sections.model import ModelConfig
from layerscope.config.sections.optimizer import OptimizerConfig
from layerscope.config.sections.run import RunConfig
from layerscope.config.sections.slurm import SlurmConfig

_ONLY_MEASURED = frozenset({"embedding-layers", "tap", "reduce"})
"""Keys of ``Model`` that say what is looked at, not what is trained."""

_NOT_TRAINED_ON = frozenset({"root", "download", "num-workers", "ood"})
"""Keys of ``Data`` that say how the images come in, and which others are only measured."""

_ADDED_LATER = {
    "Data": frozenset({"channels", "imbalance", "test_list", "train_list"})
    | {"gaussian", "validation", "view_area"},
    "Optimizer": frozenset(
        {"class_weights", "decay", "drift_penalty", "gamma", "label_smoothing", "lr_groups", "tau"}
        | {"objective", "temperature", "projection_dim"}
    ),
    "Model": frozenset({"conv_init_std", "final_norm"}),
}
"""Section → attributes that runs were made without: at their defaults they leave the identity as it was."""

_NOTHING_ASKED = SlurmConfig()


class Config(BaseModel):
    """Everything that describes one run."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=str.capitalize,
        populate_by_name=True,
        protected_namespaces=(),
    )

    model: ModelConfig = Field(description="Which network, and which of its layers are looked at")
    data: DataConfig = Field(description="Which images, how many, and how they are batched")
    optimizer: OptimizerConfig = Field(description="The loss, the steps, and how the learning rate runs")
    logging: LoggingConfig = Field(description="Where results go, and which epochs are kept")
    measurements: MeasurementsConfig = Field(
        default_factory=MeasurementsConfig, description="What is measured in every layer of every kept epoch"
    )
    run: RunConfig = Field(
        default_factory=RunConfig,
        description="The number of a repetition, and all the randomness that follows from it",
    )
    slurm: SlurmConfig = Field(
        default_factory=lambda: _NOTHING_ASKED,
        description="What the jobs of a run ask of the cluster; it changes no result",
    )

    @classmethod
    def of_sections(cls, sections: Mapping[str, Section]) -> Config:
        """The config that these sections make, each valid by itself; ``Data`` → its section, and so on.

        Only how they go together is checked: to validate them as one would look through every section
        again, for every cell of a matrix.

        Raises
        ------
        Conflicts
            Sections that do not go together.
        ValidationError
            A section that every config has is not there.
        """
        given: dict[str, Any] = {name.lower(): section for name, section in sections.items()}
        if not given.keys() >= _REQUIRED:
            return cls.model_validate(sections)
        config = cls.model_construct(None, **given)
        if found := list(conflicts_between(config)):
            raise Conflicts(found)
        return config

    @cached_property
    def checkpoint_epochs(self) -> tuple[int, ...]:
        """The epochs whose weights are kept, sorted; the last epoch is always among them."""
        last = self.optimizer.epochs
        return tuple(sorted({epoch for epoch in self.logging.wanted_epochs(last) if epoch < last} | {last}))

    @property
    def epochs_beyond_training(self) -> tuple[int, ...]:
        """The epochs of ``log-epochs`` that training never reaches."""
        last = self.optimizer.epochs
        return tuple(epoch for epoch in self.logging.wanted_epochs(last) if epoch > last)

    @cached_property
    def hash(self) -> str:
        """Eight hexadecimal digits that change whenever :meth:`identity` does."""
        canonical = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:8]

    def identity(self) -> dict[str, Any]:
        """What determines the trained weights and which of them are kept, as plain values.

        ``Data.root`` counts only where the data set is the user's own files, as their place is then all
        that says which data they are.
        """
        left_out = _NOT_TRAINED_ON - ({"root"} if self.data.dataset_id in OWN_DATASETS else set())
        return {
            "Model": _identity_of(self.model, _ONLY_MEASURED),
            "Data": _identity_of(self.data, left_out),
            "Optimizer": _identity_of(self.optimizer),
            "Logging": self._kept(),
            "Run": self.run.plain(),
        }

    def _kept(self) -> dict[str, Any]:
        """Which of the weights are kept."""
        best = {"keep-best": True} if self.logging.keep_best else {}
        return {"epochs": list(self.checkpoint_epochs), **best}

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> Config:
        if found := list(conflicts_between(self)):
            raise Conflicts(found)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Config:
        """A copy with other values, unchecked; what was worked out from the old ones is not copied."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("checkpoint_epochs", "hash"):
            copied.__dict__.pop(name, None)
        return copied

    def resolved(self) -> dict[str, dict[str, Any]]:
        """Every section with every key, defaults too, as plain values; parses to an equal config.

        Of ``Slurm``, which is no part of what a run is, only what is set.
        """
        sections = self.model_dump(mode="json", by_alias=True, exclude={"slurm"})
        asked = self.slurm.what_is_set()
        return {**sections, SLURM_SECTION: asked} if asked else sections


_REQUIRED = {name for name, field in Config.model_fields.items() if field.is_required()}


def _identity_of(section: Section, left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The keys of ``section`` that change weights, but for later ones that are not set."""
    name = type(section).__name__.removesuffix("Config")
    fields = type(section).model_fields
    unset = {
        fields[attribute].alias
        for attribute in _ADDED_LATER.get(name, ())
        if getattr(section, attribute) == fields[attribute].default
    }
    return {key: value for key, value in section.plain().items() if key not in left_out | unset}
