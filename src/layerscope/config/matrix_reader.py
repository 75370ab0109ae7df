"""The section ``Matrix`` of a document → branches, and every mistake in its grammar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from layerscope.config.document import Document, KeyPath
from layerscope.config.matrix_axes import Axis, Branch, Leaf, joined
from layerscope.config.matrix_names import has_control_character, wrong_with
from layerscope.config.matrix_rules import read_rules
from layerscope.config.messages import shown
from layerscope.config.names import EXCLUDE, EXCLUSIVE, MATRIX_SECTION, MATRIX_WORDS, SECTIONS, ZIP
from layerscope.config.nearest import suggestion
from layerscope.config.schema import holds_keys, is_known
from layerscope.errors import Problem

_SAVE_DIR = ("Logging", "save-dir")


class MatrixReader:
    """Reads the matrix of ``document``; ``problems`` fills up while it does.

    After a mistake it goes on as if the entry were right, or not there, so that others are found too;
    ``incomplete`` tells that keys may be lacking for this reason.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.incomplete = False

    def branches(self) -> list[Branch]:
        """The union of the branches of the whole matrix, in the order of their names in the file."""
        tree = self.document.data[MATRIX_SECTION]
        return self._level({} if tree is None else tree, (MATRIX_SECTION,), None)

    def _level(self, tree: Any, path: KeyPath, section: str | None) -> list[Branch]:
        """The branches of one mapping: what ``_Exclusive`` keeps apart, each times everything beside it."""
        if not isinstance(tree, dict):
            return self._nothing(path, _no_keys(str(path[-1]), tree))
        entries = [
            self._entry(key, content, (*path, key), section)
            for key, content in tree.items()
            if key not in (EXCLUSIVE, EXCLUDE)
        ]
        beside = [self._once_each(joined(choice)) for choice in product(*entries)]
        if EXCLUSIVE in tree:
            apart = self._exclusive(tree[EXCLUSIVE], (*path, EXCLUSIVE), section)
            beside = [inner.over(outer) for inner, outer in product(apart, beside)]
        return self._ruled(beside, tree, path, section)

    def _entry(self, key: str, content: Any, path: KeyPath, section: str | None) -> list[Branch]:
        if key == ZIP:
            return [Branch(axes=self._zip(content, path, section))]
        if key.startswith("_"):
            return self._nothing(path, f"unknown word {key!r}; {suggestion(key, MATRIX_WORDS)}")
        if section is not None and holds_keys(section, key):
            return self._level({} if content is None else content, path, f"{section}.{key}")
        if section is not None:
            return [Branch(axes=tuple(Axis((leaf,)) for leaf in self._leaf(key, content, path, section)))]
        if key not in SECTIONS:
            return self._nothing(path, _no_section(key, content))
        return self._level({} if content is None else content, path, key)

    def _exclusive(self, tree: Any, path: KeyPath, section: str | None) -> list[Branch]:
        if not isinstance(tree, dict) or not tree:
            return self._nothing(path, f"{EXCLUSIVE} must hold named submatrices, not {shown(tree)}")
        return [
            replace(inner, exclusive=(name, *inner.exclusive))
            for name, content in tree.items()
            for inner in self._submatrix(name, content, (*path, name), section)
        ]

    def _submatrix(self, name: str, content: Any, path: KeyPath, section: str | None) -> list[Branch]:
        if name in MATRIX_WORDS:
            return self._nothing(path, f"a submatrix cannot be called {name}; {EXCLUSIVE} holds name: {{…}}")
        if wrong := wrong_with(name):
            self._wrong(path, f"{name!r} cannot be the folder of runs: {wrong}")
        return self._level({} if content is None else content, path, section)

    def _zip(self, tree: Any, path: KeyPath, section: str | None) -> tuple[Axis, ...]:
        leaves = list(self._zip_leaves(tree, path, section))
        sound = [leaf for leaf in leaves if not leaf.doubtful]
        if uneven := [leaf for leaf in sound if len(leaf.values) != len(sound[0].values)]:
            first = f"{sound[0].key} has {len(sound[0].values)} values"
            for leaf in uneven:
                self._wrong(leaf.path, f"{ZIP} pairs equal lists: {first}, {leaf.key} {len(leaf.values)}")
        if uneven or len(sound) < len(leaves):
            return tuple(Axis((leaf,)) for leaf in leaves)
        return (Axis(tuple(leaves)),) if leaves else ()

    def _zip_leaves(self, tree: Any, path: KeyPath, section: str | None) -> Iterator[Leaf]:
        if not isinstance(tree, dict) or not tree:
            self._nothing(path, _no_keys(str(path[-1]), tree))
            return
        for key, content in tree.items():
            place = (*path, key)
            if key.startswith("_"):
                self._nothing(place, f"{key} has no meaning within {ZIP}, which holds keys with lists only")
            elif section is not None and holds_keys(section, key):
                yield from self._zip_leaves(content, place, f"{section}.{key}")
            elif section is not None:
                yield from self._leaf(key, content, place, section)
            elif key in SECTIONS:
                yield from self._zip_leaves(content, place, key)
            else:
                self._nothing(place, _no_section(key, content))

    def _leaf(self, key: str, content: Any, path: KeyPath, section: str) -> Iterator[Leaf]:
        """The leaf, if it can be one: a doubtful one stands in for a list that is none."""
        if (section, key) == _SAVE_DIR:
            self._wrong(path, "save-dir cannot vary within a matrix: every run is a folder below the one")
        elif isinstance(content, list) and content:
            self._check_values(content, path)
            yield Leaf(section, key, _told(section, key, content), path)
        else:
            self._wrong(path, _no_list(key, content))
            yield Leaf(section, key, (None,), path, doubtful=True)

    def _check_values(self, values: list[Any], path: KeyPath) -> None:
        for index, value in enumerate(values if len(values) > 1 else []):
            if has_control_character(value):
                wrong = f"{shown(value)} cannot be part of a run's name: it has a control character"
                self._wrong((*path, index), wrong)

    def _once_each(self, branch: Branch) -> Branch:
        """``branch`` with each key in one axis only; a second one is a mistake."""
        places = Counter(leaf.place for leaf in branch.leaves)
        twice = {place for place, count in places.items() if count > 1}
        for place in twice:
            first, *others = (leaf for leaf in branch.leaves if leaf.place == place)
            line = self.document.mark(first.path).line
            for leaf in others:
                self._nothing(leaf.path, f"{leaf.key} has alternatives twice; the first are in line {line}")
        return branch.without(twice)

    def _ruled(
        self, branches: list[Branch], tree: Mapping[str, Any], path: KeyPath, section: str | None
    ) -> list[Branch]:
        """``branches`` under the rules of this level."""
        if EXCLUDE not in tree:
            return branches
        rules, problems = read_rules(self.document, tree[EXCLUDE], (*path, EXCLUDE), section)
        self.problems.extend(problems)
        return [replace(branch, rules=branch.rules + rules) for branch in branches]

    def _nothing(self, path: KeyPath, message: str) -> list[Branch]:
        self._wrong(path, message)
        self.incomplete = True
        return [Branch()]

    def _wrong(self, path: KeyPath, message: str) -> None:
        self.problems.append(self.document.problem(path, message))


def _told(section: str, key: str, values: list[Any]) -> tuple[Any, ...]:
    """``values``; None means "not set", which would hide that a key is unknown."""
    if is_known(section, key):
        return tuple(values)
    return tuple("None" if value is None else value for value in values)


def _no_keys(name: str, content: Any) -> str:
    return f"{name} must hold keys with lists of alternatives, not {shown(content)}"


def _no_section(key: str, content: Any) -> str:
    """What is wrong with an entry beside sections that is none."""
    if not isinstance(content, dict):
        return f"{key} stands outside of a section; write it within one, as in 'Optimizer: {{lr: [0.1]}}'"
    if any(name in SECTIONS for name in content):
        return f"{key!r} is not a section; named submatrices belong below {EXCLUSIVE}"
    return f"unknown section {key!r}; {suggestion(key, SECTIONS)}"


def _no_list(key: str, content: Any) -> str:
    if content == []:
        return f"{key} has an empty list of alternatives; give at least one, or leave {key} out"
    written = f"[{shown(content)}]" if not isinstance(content, dict) else "[…]"
    return f"{key} must be a list of alternatives ({written}), not {shown(content)}"
