"""Branches of a matrix → drafts of its cells: name and validated config; and what is wrong with others."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from layerscope.config.config import Config
from layerscope.config.document import Document, KeyPath, Mark
from layerscope.config.matrix_axes import Branch, Leaf
from layerscope.config.matrix_names import pieces
from layerscope.config.matrix_rules import Condition, conditions
from layerscope.config.matrix_sections import BranchSections, Choice
from layerscope.config.names import EXCLUDE, MATRIX_SECTION, SECTIONS
from layerscope.config.parse import parse_config
from layerscope.config.schema import known_keys
from layerscope.errors import ConfigError, Problem

_TOLD = Mark("", -1)
"""Where mistakes are put that need no telling."""


@dataclass(frozen=True)
class Draft:
    """A cell before it is compared with the others."""

    name: str
    exclusive: str
    config: Config


class Drafting:
    """Drafts of all cells of ``document``; ``problems`` fills up while they are made.

    Of a matrix that was read ``incomplete``, nothing is told that may be due to what is lacking.
    """

    def __init__(self, document: Document, *, incomplete: bool = False) -> None:
        self.document = document
        self.incomplete = incomplete
        self.base = {name: content for name, content in document.data.items() if name != MATRIX_SECTION}
        self.problems: list[Problem] = []
        self._marks_of_file = dict(document.marks)
        self._matched: set[KeyPath] = set()

    def drafts(self, branches: Sequence[Branch]) -> list[Draft]:
        """The drafts in the order of their branches, the last axis varying fastest."""
        drafts = [draft for branch in branches for draft in self._branch(branch)]
        if not self.incomplete:
            self.problems.extend(self._idle_rules(branches))
        return drafts

    def _idle_rules(self, branches: Sequence[Branch]) -> list[Problem]:
        paths = {rule.path for branch in branches for rule in branch.rules} - self._matched
        return [self.document.problem(path, f"this rule of {EXCLUDE} matches no run") for path in paths]

    def _branch(self, branch: Branch) -> Iterator[Draft]:
        sections = BranchSections(self.base, branch)
        parts = [[pieces(axis, index) for index in range(len(axis))] for axis in branch.axes]
        told: set[tuple[str, tuple[int, ...]]] = set()
        for choice in self._left(branch):
            config = self._config(sections, choice, told)
            if config is not None:
                own = [part for axis, index in zip(parts, choice, strict=True) for part in axis[index]]
                name = "/".join((*branch.exclusive, *own))
                yield Draft(name, "/".join(branch.exclusive), config)

    def _left(self, branch: Branch) -> Iterator[tuple[int, ...]]:
        """The choices that no rule drops."""
        rules = [(rule, conditions(rule, branch, self.base)) for rule in branch.rules]
        for choice in product(*(range(len(axis)) for axis in branch.axes)):
            matching = [rule.path for rule, wanted in rules if wanted is not None and _all(wanted, choice)]
            self._matched.update(matching)
            if not matching:
                yield choice

    def _config(
        self, sections: BranchSections, choice: Choice, told: set[tuple[str, tuple[int, ...]]]
    ) -> Config | None:
        made = sections.of(choice)
        valid = {name: section for name, section in made.items() if section is not None}
        wrong = {(name, sections.key(name, choice)) for name in made if name not in valid}
        if not wrong:
            try:
                return Config.of_sections(valid)
            except ValueError:  # sections that do not go together, or a whole one is missing
                wrong = {("", ())}
        if not wrong <= told:
            told |= wrong
            self.problems.extend(self._mistakes(sections, choice))
        return None

    def _mistakes(self, sections: BranchSections, choice: Choice) -> list[Problem]:
        marks = self._marks(sections.branch, choice)
        cell = replace(self.document, data=sections.data(choice), marks=marks, problems=())
        try:
            parse_config(cell)
        except ConfigError as error:
            return [problem for problem in error.problems if problem.line != _TOLD.line]
        return []

    def _marks(self, branch: Branch, choice: Choice) -> Mapping[KeyPath, Mark]:
        """Where each value of a cell stands in the file: what the matrix sets, stands in the matrix."""
        own = dict.fromkeys(_lacking(self.base), _TOLD) if self.incomplete else {}
        for axis, index in zip(branch.axes, choice, strict=True):
            for leaf in axis.leaves:
                own.setdefault(leaf.keys[:1], self._section_mark(leaf))
                own.update(self._leaf_marks(leaf, index))
        return ChainMap(own, self._marks_of_file)

    def _section_mark(self, leaf: Leaf) -> Mark:
        return self.document.marks.get(leaf.keys[:1]) or self.document.mark(leaf.path[:-1])

    def _leaf_marks(self, leaf: Leaf, index: int) -> Iterator[tuple[KeyPath, Mark]]:
        place: KeyPath = leaf.keys
        if leaf.doubtful:
            yield place, _TOLD
            return
        value = leaf.values[index]
        yield place, self.document.mark((*leaf.path, index))
        for item in range(len(value) if isinstance(value, list) else 0):
            yield (*place, item), self.document.mark((*leaf.path, index, item))


def _lacking(base: Mapping[str, Any]) -> Iterator[KeyPath]:
    """The sections and keys that ``base`` leaves to the matrix."""
    for name in SECTIONS:
        content = base.get(name) or {}
        if name not in base:
            yield (name,)
        if isinstance(content, dict):
            yield from ((name, key) for key in known_keys(name) or () if content.get(key) in (None, []))


def _all(wanted: Sequence[Condition], choice: Choice) -> bool:
    return all(choice[number] in indices for number, indices in wanted)
