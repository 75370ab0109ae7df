"""When two cells are the same run, and how two that are not differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from layerscope.config.config import Config
from layerscope.config.matrix_cells import Draft
from layerscope.config.messages import shown
from layerscope.config.names import SLURM_SECTION
from layerscope.config.sections.base import Section


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

    Equal contents mean equal :meth:`Config.identity` and equal measurements. What takes time is worked out
    once per section, as cells share sections; the drafts must outlive this, as these are told by identity.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._seen: dict[tuple[int, ...], int] = {}

    def of(self, config: Config) -> Hashable:
        return (
            self._number(config.model),
            self._once(_data_identity, config, config.data),
            self._number(config.optimizer),
            self._once(_kept, config, config.logging, config.optimizer.epochs),
            self._number(config.run),
            self._number(config.measurements),
        )

    def _number(self, section: Section) -> int:
        """The same for equal sections."""
        if (key := (id(section),)) not in self._seen:
            self._seen[key] = self._numbers.setdefault(section, len(self._numbers))
        return self._seen[key]

    def _once(
        self, content: Callable[[Config], Hashable], config: Config, section: Section, *more: int
    ) -> int:
        """The same for configs of which ``content`` is equal, which follows from a section and ``more``."""
        if (key := (id(section), *more, id(content))) not in self._seen:
            self._seen[key] = self._numbers.setdefault(content(config), len(self._numbers))
        return self._seen[key]


def _data_identity(config: Config) -> Hashable:
    return json.dumps(config.identity()["Data"], sort_keys=True)


def _kept(config: Config) -> Hashable:
    return config.checkpoint_epochs, config.logging.keep_best


def _flat(config: Config) -> dict[str, Any]:
    resolved = {name: section for name, section in config.resolved().items() if name != SLURM_SECTION}
    return {f"{name}.{key}": value for name, section in resolved.items() for key, value in section.items()}


def _listed(values: dict[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key}: {shown(values[key])}" for key in keys)
