"""The sections of the cells of one branch, each combination of values validated once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from layerscope.config.document import with_value
from layerscope.config.matrix_axes import Branch, Leaf
from layerscope.config.names import SECTIONS
from layerscope.config.schema import optional_sections, section_model, set_keys
from layerscope.config.sections.base import Section

Choice = Sequence[int]
"""The position of the chosen alternative, for each axis of a branch."""


class BranchSections:
    """The sections of the cells of a branch: those of ``base`` with the alternatives chosen.

    A section is validated by itself, as it would be within a whole config, and once for all cells that
    share its values.
    """

    def __init__(self, base: Mapping[str, Any], branch: Branch) -> None:
        self.base = base
        self.branch = branch
        self._varied = {name: _varied(branch, name) for name in _names(base, branch)}
        self._made: dict[tuple[str, tuple[int, ...]], Section | None] = {}
        self._always = {name: self._section(name, ()) for name, varied in self._varied.items() if not varied}
        self._depending = [name for name in self._varied if name not in self._always]

    def data(self, choice: Choice) -> dict[str, Any]:
        """The raw tree of the cell, unknown sections too."""
        return {**self.base, **{name: self._raw(name, choice) for name in self._varied}}

    def key(self, name: str, choice: Choice) -> tuple[int, ...]:
        """What the section ``name`` depends on, out of ``choice``."""
        return tuple(choice[number] for number, _ in self._varied[name])

    def of(self, choice: Choice) -> dict[str, Section | None]:
        """Every section of the cell; None for one that is invalid or unknown."""
        return {**self._always, **{name: self._section(name, choice) for name in self._depending}}

    def _section(self, name: str, choice: Choice) -> Section | None:
        key = name, self.key(name, choice)
        if key not in self._made:
            self._made[key] = _validated(name, self._raw(name, choice))
        return self._made[key]

    def _raw(self, name: str, choice: Choice) -> Any:
        content, varied = self.base.get(name), self._varied[name]
        if not varied or not (content is None or isinstance(content, dict)):
            return content
        for number, leaf in varied:
            content = with_value(content, leaf.keys[1:], leaf.values[choice[number]])
        return content


def _names(base: Mapping[str, Any], branch: Branch) -> list[str]:
    """The sections of base and branch, and those with defaults, as a config orders them; then the unknown."""
    given = dict.fromkeys([*base, *(leaf.keys[0] for leaf in branch.leaves), *optional_sections()])
    return [*(name for name in SECTIONS if name in given), *(name for name in given if name not in SECTIONS)]


def _varied(branch: Branch, section: str) -> list[tuple[int, Leaf]]:
    """The leaves of a section, each with the number of its axis."""
    axes = enumerate(branch.axes)
    return [(number, leaf) for number, axis in axes for leaf in axis.leaves if leaf.keys[0] == section]


def _validated(name: str, raw: Any) -> Section | None:
    if name not in SECTIONS:
        return None
    try:
        return section_model(name).model_validate(set_keys(raw, name))
    except ValidationError:
        return None
