"""A file with a section ``Matrix`` → its cells: one name, one config and one place in the axes each."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerscope.config.config import Config
from layerscope.config.document import Document
from layerscope.config.matrix_axes import Branch, Place
from layerscope.config.matrix_cells import Draft, Drafting
from layerscope.config.matrix_contents import differences, distinct
from layerscope.config.matrix_names import nested, reserved
from layerscope.config.matrix_reader import MatrixReader
from layerscope.config.names import MATRIX_SECTION, SLURM_SECTION
from layerscope.config.overrides import override
from layerscope.config.parse import parse_config, warn_of_what_is_left_out
from layerscope.config.profile import with_profile
from layerscope.config.yaml_reader import read_document
from layerscope.errors import ConfigError, Problem

log = logging.getLogger(__name__)

_MOST_CELLS = 100_000
"""Cells of a matrix; more is a slip in its lists."""

_MOST_SHOWN = 5

_EXCLUSIVE_AXIS = "exclusive"


@dataclass(frozen=True)
class Cell:
    """One run of a matrix.

    Parameters
    ----------
    name
        Its folder, relative to ``Logging.save-dir``; "" for the only run of a file without a matrix.
    config
        Everything that describes it; ``save-dir`` is the one that all cells share.
    axes
        Where it stands in the matrix, with the same keys in every cell: the value (as in ``resolved()``)
        of each ``Section.key`` that the matrix sets and in which cells differ, and under ``exclusive`` the
        names of its submatrices, joined by ``/``. What is asked of the cluster makes no difference.
    """

    name: str
    config: Config
    axes: Mapping[str, object] = field(default_factory=dict)


def load_matrix(
    path: Path | str, overrides: Sequence[str] = (), profile: Path | str | None = None
) -> list[Cell]:
    """The cells of the file ``path``; of a file without ``Matrix`` its single one.

    ``overrides`` (``"Section.key=value"``) stand in place of what the file says, its matrix included;
    ``profile`` is a file with a section ``Slurm``, for what the file does not say about it.

    Raises
    ------
    ConfigError
        Everything that is wrong with the files, the matrix, any of its cells and the overrides, at once.
    """
    return expand_matrix(override(with_profile(read_document(path), profile), overrides))


def expand_matrix(document: Document) -> list[Cell]:
    """The cells that a document describes (see :func:`load_matrix`), in the order of the file.

    Cells of ``_Exclusive`` submatrices follow each other; of the other keys the last varies fastest.
    """
    if not document.has_matrix:
        return [Cell("", parse_config(document))]
    reader = MatrixReader(document)
    by_hand = _set_by_hand(document)
    branches = [branch.without(by_hand) for branch in reader.branches()]
    _refuse_too_many(document, branches)
    drafting = Drafting(document, incomplete=reader.incomplete)
    drafts = drafting.drafts(branches)
    problems = [*document.problems, *reader.problems, *drafting.problems]
    if not (drafts or problems):
        problems = [document.problem((MATRIX_SECTION,), "every run is excluded, so there is none left")]
    if problems:
        raise ConfigError(problems)
    return _cells(document, drafts, branches)


def _cells(document: Document, drafts: Sequence[Draft], branches: Sequence[Branch]) -> list[Cell]:
    """The cells of valid drafts: equal ones merged, each with its own name."""
    kept, same = distinct(drafts)
    if same:
        log.warning(_merged_message(document.source, len(drafts), same))
    if clashes := [*_clashes(document, kept), *_nested(document, kept), *_reserved(document, kept)]:
        raise ConfigError(clashes)
    _warn_of_what_is_left_out(document, kept)
    leaves = (leaf for branch in branches for leaf in branch.leaves if leaf.keys[0] != SLURM_SECTION)
    places = dict.fromkeys(leaf.place for leaf in leaves)
    axes = _axes(kept, list(places))
    return [Cell(draft.name, draft.config, at) for draft, at in zip(kept, axes, strict=True)]


def _set_by_hand(document: Document) -> set[Place]:
    """What ``--set`` fixes: overrides stand in no line."""
    by_hand = (tuple(map(str, path)) for path, mark in document.marks.items() if not mark.line)
    return {(".".join(path[:-1]), path[-1]) for path in by_hand}


def _refuse_too_many(document: Document, branches: Sequence[Branch]) -> None:
    count = sum(branch.size for branch in branches)
    if count > _MOST_CELLS:
        wrong = f"the matrix has {count:,} runs, more than the {_MOST_CELLS:,} that one may have"
        raise ConfigError([document.problem((MATRIX_SECTION,), wrong)])


def _merged_message(source: str, count: int, same: Sequence[tuple[Draft, Draft]]) -> str:
    shown = "; ".join(map(_told, same[:_MOST_SHOWN]))
    more = f"; and {len(same) - _MOST_SHOWN} more" if len(same) > _MOST_SHOWN else ""
    return f"{source}: {len(same)} of {count} runs are the same as another and left out: {shown}{more}"


def _told(pair: tuple[Draft, Draft]) -> str:
    left_out, kept = pair
    return f"{left_out.name or 'the only run'} ({_as(left_out, kept)})"


def _as(left_out: Draft, kept: Draft) -> str:
    same = "given twice" if left_out.name == kept.name else f"as {kept.name}"
    return same if left_out.config.slurm == kept.config.slurm else f"{same}; the first one's Slurm keys hold"


def _warn_of_what_is_left_out(document: Document, drafts: Sequence[Draft]) -> None:
    """Once for all cells that would be warned of the same."""
    alike = {
        (id(config.logging), config.optimizer.epochs, id(config.measurements)): config
        for config in (draft.config for draft in drafts)
    }
    for config in alike.values():
        warn_of_what_is_left_out(config, document.source)


def _clashes(document: Document, drafts: Sequence[Draft]) -> list[Problem]:
    """Different runs of one name."""
    first: dict[str, Draft] = {}
    problems = []
    for draft in drafts:
        other = first.setdefault(draft.name, draft)
        if other is not draft:
            one, two = differences(other.config, draft.config)
            wrong = f"two runs are called {draft.name!r}: one with {one}, one with {two}; name them apart"
            problems.append(document.problem((MATRIX_SECTION,), wrong))
    return problems


def _nested(document: Document, drafts: Sequence[Draft]) -> list[Problem]:
    """Runs whose folder would lie in that of another."""
    pairs = nested([draft.name for draft in drafts])
    return [
        document.problem((MATRIX_SECTION,), f"the folder of run {outer!r} would hold that of run {inner!r}")
        for outer, inner in pairs
    ]


def _reserved(document: Document, drafts: Sequence[Draft]) -> list[Problem]:
    """Runs that would lie where something else is kept."""
    return [
        document.problem((MATRIX_SECTION,), f"no run can lie in {part!r}: {why}; choose another name")
        for part, why in reserved(draft.name for draft in drafts)
    ]


def _axes(drafts: Sequence[Draft], places: Sequence[Place]) -> list[dict[str, object]]:
    columns: dict[str, list[Any]] = {}
    if any(draft.exclusive for draft in drafts):
        columns[_EXCLUSIVE_AXIS] = [draft.exclusive for draft in drafts]
    for section, key in places:
        values = _column(drafts, section, key)
        if any(value != values[0] for value in values):
            columns[f"{section}.{key}"] = values
    return [{name: column[row] for name, column in columns.items()} for row in range(len(drafts))]


def _column(drafts: Sequence[Draft], section: str, key: str) -> list[Any]:
    """The value of a key in every cell, read once from each section that cells share."""
    name, *keys = (*section.split("."), key)
    sections = [getattr(draft.config, name.lower()) for draft in drafts]
    values = {
        id(one): _value_at(one.plain(keys[0]), keys) for one in {id(one): one for one in sections}.values()
    }
    return [values[id(one)] for one in sections]


def _value_at(tree: Any, keys: Sequence[str]) -> Any:
    """What stands below ``keys``; None when a key on the way is not set."""
    for key in keys:
        tree = None if tree is None else tree.get(key)
    return tree
