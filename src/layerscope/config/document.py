"""A config before validation: the raw tree, and where each of its values was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from layerscope.config.names import EXCLUSIVE, KEY_ALIASES, MATRIX_SECTION, MODULE_KEYS, SECTIONS
from layerscope.errors import Problem

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: ``("Optimizer", "betas", 0)``."""


class Mark(NamedTuple):
    """Where a value was written: a file and line, or an override (line 0)."""

    source: str
    line: int


@dataclass(frozen=True)
class Document:
    """The raw tree of a config with its marks, and the mistakes found while reading it.

    ``data`` holds plain Python values under normalised keys. Expansion of a matrix makes new documents out
    of one: other ``data``, and ``marks`` that point to where each value of the cell stands in the file.
    """

    source: str
    data: dict[str, Any]
    marks: Mapping[KeyPath, Mark] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def has_matrix(self) -> bool:
        """Whether the file describes many runs."""
        return MATRIX_SECTION in self.data

    def mark(self, path: KeyPath) -> Mark:
        """Where the value at ``path`` was written, or else the closest value around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.marks:
                return self.marks[path[:length]]
        return Mark(self.source, 0)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A mistake at ``path``."""
        mark = self.mark(path)
        return Problem(mark.source, mark.line, message)


def normalised_key(key: str, parents: KeyPath) -> str:
    """``key`` with ``-`` for ``_``, where ``-`` and ``_`` are the same, and the usual word for its aliases.

    That is: for the keys of a section, wherever the section stands (a matrix repeats sections in its
    submatrices). Section names, the matrix's own words (``_Exclusive``) and the names its user gives to
    submatrices stay as they are, and so do those of modules.
    """
    section = _section_around(parents)
    if key.startswith("_") or (parents and parents[-1] in (EXCLUSIVE, MODULE_KEYS)) or section is None:
        return key
    kebab = key.replace("_", "-")
    return kebab if _is_open(parents) else KEY_ALIASES.get(section, {}).get(kebab, kebab)


def with_value(tree: Any, path: KeyPath, value: Any) -> Any:
    """``tree`` with ``value`` at ``path``; what is no mapping is left for validation to refuse."""
    if not path:
        return value
    if not (tree is None or isinstance(tree, dict)):
        return tree
    old = tree or {}
    return {**old, path[0]: with_value(old.get(path[0]), path[1:], value)}


def document_of(tree: Mapping[str, Any], source: str) -> Document:
    """A document of values that come from a program, not from a file."""
    problems: list[Problem] = []
    data = _normalised(tree, (), source, problems)
    return Document(source=source, data=data, problems=tuple(problems))


def _section_around(parents: KeyPath) -> str | None:
    for depth, key in enumerate(parents):
        if key in SECTIONS and (depth == 0 or parents[depth - 1] != EXCLUSIVE):
            return str(key)
    return None


def _is_open(parents: KeyPath) -> bool:
    """Whether the keys below ``parents`` are not ours (``Slurm.extra``)."""
    return parents[-1] == "extra" and parents[-2:-1] != (EXCLUSIVE,)


def _normalised(value: Any, path: KeyPath, source: str, problems: list[Problem]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_normalised(item, (*path, index), source, problems) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    tree: dict[str, Any] = {}
    for given, content in value.items():
        key = normalised_key(str(given), path)
        if key in tree:
            problems.append(Problem(source, 0, f"{'.'.join(map(str, (*path, key)))} is given twice"))
        tree[key] = _normalised(content, (*path, key), source, problems)
    return tree
