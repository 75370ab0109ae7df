"""What a matrix multiplies: leaves, axes, and the branches that ``_Exclusive`` leaves apart."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any

from layerscope.config.document import KeyPath

Place = tuple[str, str]
"""A section (or a key of it that holds keys: ``Slurm.train``) and a key of it."""


@dataclass(frozen=True)
class Leaf:
    """A key of the config with its alternatives.

    ``section`` may be a key of one that holds keys of its own: ``Slurm.train``.
    ``doubtful``: the list itself is a mistake, already told; what follows from it needs no telling.
    """

    section: str
    key: str
    values: tuple[Any, ...]
    path: KeyPath
    doubtful: bool = False

    @property
    def place(self) -> Place:
        """Where the alternatives go in a config."""
        return self.section, self.key

    @property
    def keys(self) -> tuple[str, ...]:
        """The same, one key after the other."""
        return (*self.section.split("."), self.key)


@dataclass(frozen=True)
class Axis:
    """Alternatives of one leaf, or of several leaves that ``_Zip`` pairs position by position."""

    leaves: tuple[Leaf, ...]

    def __len__(self) -> int:
        return len(self.leaves[0].values)

    def without(self, places: Set[Place]) -> Axis:
        """The axis without the leaves that stand at ``places``."""
        return Axis(tuple(leaf for leaf in self.leaves if leaf.place not in places))


@dataclass(frozen=True)
class Rule:
    """One entry of ``_Exclude``: a cell that has all of these (canonical) values is dropped."""

    wanted: tuple[tuple[Place, Any], ...]
    path: KeyPath


@dataclass(frozen=True)
class Branch:
    """One choice of every ``_Exclusive``: its cells are the outer product of ``axes``, less ``rules``."""

    exclusive: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves of all axes."""
        return tuple(leaf for axis in self.axes for leaf in axis.leaves)

    @property
    def size(self) -> int:
        """The number of cells before ``rules`` drop some."""
        return prod(map(len, self.axes))

    def find(self, place: Place) -> tuple[int, Leaf] | None:
        """The leaf that sets ``place``, with the number of its axis."""
        for number, axis in enumerate(self.axes):
            for leaf in axis.leaves:
                if leaf.place == place:
                    return number, leaf
        return None

    def without(self, places: Set[Place]) -> Branch:
        """The branch with nothing to say about ``places``."""
        if not places:
            return self
        kept = (axis.without(places) for axis in self.axes)
        return replace(self, axes=tuple(axis for axis in kept if axis.leaves))

    def over(self, outer: Branch) -> Branch:
        """Both at once; where they set the same key, this one, the more specific, has it."""
        return joined((self, outer.without({leaf.place for leaf in self.leaves})))


def joined(branches: Iterable[Branch]) -> Branch:
    """All at once: the product of their axes, under all of their names and rules."""
    return reduce(_both, branches, Branch())


def _both(one: Branch, other: Branch) -> Branch:
    return Branch(one.exclusive + other.exclusive, one.axes + other.axes, one.rules + other.rules)
