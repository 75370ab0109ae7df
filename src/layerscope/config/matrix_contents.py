"""When two cells are the same run, and how two that are not differ."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import Any

from layerscope.config.config import Config
from layerscope.config.matrix_cells import Draft
from layerscope.config.messages import shown
from layerscope.config.names import SLURM_SECTION
from layerscope.config.sections.data import DataConfig
from layerscope.config.sections.logging import LoggingConfig


def distinct(drafts: Sequence[Draft]) -> tuple[list[Draft], list[tuple[Draft, Draft]]]:
    """The first draft of every content; and each later one with the first that it equals."""
    contents = _Contents()
    first: dict[Hashable, Draft] = {}
    same: list[tuple[Draft, Draft]] = []
    for draft in drafts:
        kept = first.setdefault(contents.of(draft.config), draft)
        if kept is not draft:
            same.append((draft, kept))
    return list(first.values()), same


def differences(one: Config, other: Config) -> tuple[str, str]:
    """What two configs have that the other has not, as ``Section.key: value, …`` each."""
    ours, theirs = _flat(one), _flat(other)
    keys = [key for key in ours if ours[key] != theirs[key]]
    return _listed(ours, keys), _listed(theirs, keys)


class _Contents:
    """What is trained and measured, as something to compare.

    Equal contents mean equal :meth:`Config.identity` and equal measurements. The slow parts are worked out
    once per section, as cells share sections.
    """

    def __init__(self) -> None:
        self._data: dict[DataConfig, str] = {}
        self._epochs: dict[tuple[LoggingConfig, int], tuple[int, ...]] = {}

    def of(self, config: Config) -> Hashable:
        return (
            config.model,
            self._data_of(config),
            config.optimizer,
            self._epochs_of(config),
            config.logging.keep_best,
            config.run,
            config.measurements,
        )

    def _data_of(self, config: Config) -> str:
        if config.data not in self._data:
            self._data[config.data] = json.dumps(config.identity()["Data"], sort_keys=True)
        return self._data[config.data]

    def _epochs_of(self, config: Config) -> tuple[int, ...]:
        key = config.logging, config.optimizer.epochs
        if key not in self._epochs:
            self._epochs[key] = config.checkpoint_epochs
        return self._epochs[key]


def _flat(config: Config) -> dict[str, Any]:
    resolved = {name: section for name, section in config.resolved().items() if name != SLURM_SECTION}
    return {f"{name}.{key}": value for name, section in resolved.items() for key, value in section.items()}


def _listed(values: dict[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key}: {shown(values[key])}" for key in keys)
