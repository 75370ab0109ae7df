"""``_Exclude``: reading its rules, and finding the cells they drop before anything is validated.

A rule may drop cells that no config could be (``nesterov`` without momentum), so it looks at single values.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from layerscope.config.config import Config
from layerscope.config.document import Document, KeyPath, with_value
from layerscope.config.matrix_axes import Branch, Place, Rule
from layerscope.config.messages import problems_of, shown
from layerscope.config.names import EXCLUDE, SECTIONS, SLURM_SECTION
from layerscope.config.nearest import suggestion
from layerscope.config.schema import holds_keys, is_known, known_keys, section_model
from layerscope.config.sections.base import Section
from layerscope.errors import Problem

_NOWHERE = ""
"""The source of problems that are not the rule's own: it says nothing about most keys."""

_NOT_BY_SLURM = f"a rule of {EXCLUDE} drops runs by what they are; {SLURM_SECTION} makes no run another one"

Condition = tuple[int, frozenset[int]]
"""An axis of a branch, and which of its alternatives a rule wants."""


def read_rules(
    document: Document, content: Any, path: KeyPath, section: str | None
) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The rules of one ``_Exclude``, and what is wrong with others of them."""
    if not isinstance(content, list) or not content:
        wrong = f"{EXCLUDE} must be a list of rules, as [{{Optimizer: {{lr: 0.1}}}}], not {shown(content)}"
        return (), [document.problem(path, wrong)]
    if section is not None and section.split(".")[0] == SLURM_SECTION:
        return (), [document.problem(path, _NOT_BY_SLURM)]
    rules: list[Rule] = []
    problems: list[Problem] = []
    for index, entry in enumerate(content):
        place = (*path, index)
        found = list(_mistakes(document, entry, place, section))
        problems.extend(found)
        if not found:
            values = {at: canonical(at, value) for at, value, _ in _wanted(entry, place, section)}
            rules.append(Rule(tuple(values.items()), place))
    return tuple(rules), problems


def conditions(rule: Rule, branch: Branch, base: Mapping[str, Any]) -> list[Condition] | None:
    """Which alternatives of ``branch`` the rule wants; None when no cell of it can match."""
    found: list[Condition] = []
    for place, wanted in rule.wanted:
        at = branch.find(place)
        if at is not None:
            number, leaf = at
            matching = (index for index, value in enumerate(leaf.values) if _equal(place, value, wanted))
            found.append((number, frozenset(matching)))
        elif not _equal(place, _in_base(base, place), wanted):
            return None
    return found


def canonical(place: Place, value: Any) -> Any:
    """The value that a config would hold at ``place``.

    Raises
    ------
    ValidationError
        None that it could hold.
    """
    model = _single(place)
    attribute, field = next(iter(model.model_fields.items()))
    if value is None:
        return None if field.is_required() else field.get_default(call_default_factory=True)
    return getattr(model.model_validate({place[1]: value}), attribute)


@functools.cache
def _single(place: Place) -> type[BaseModel]:
    """A model of one key of a section, and of nothing else."""
    fields = section_model(place[0]).model_fields
    name, field = next((name, field) for name, field in fields.items() if field.alias == place[1])
    fields_of_model: dict[str, Any] = {name: (field.annotation, field)}
    return create_model("Single", __base__=Section, **fields_of_model)


def _wanted(entry: Any, path: KeyPath, section: str | None) -> Iterator[tuple[Place, Any, KeyPath]]:
    if section is not None:
        for key, value in entry.items():
            inner = f"{section}.{key}"
            if isinstance(value, dict) and holds_keys(section, key) and known_keys(inner) is not None:
                yield from _wanted(value, (*path, key), inner)
            else:
                yield (section, key), value, (*path, key)
        return
    for name, content in entry.items():
        yield from _wanted(content, (*path, name), name)


def _mistakes(document: Document, entry: Any, path: KeyPath, section: str | None) -> Iterator[Problem]:
    if not isinstance(entry, dict) or not entry:
        yield document.problem(path, f"a rule of {EXCLUDE} must hold keys with values, not {shown(entry)}")
        return
    for name, content in entry.items() if section is None else ():
        if wrong := _wrong_section(name, content):
            yield document.problem((*path, name), wrong)
            return
    for place, value, at in _wanted(entry, path, section):
        if value is not None or not is_known(*place):
            yield from _refused(document, place, value, at)


def _wrong_section(name: str, content: Any) -> str | None:
    if name not in SECTIONS:
        return f"unknown section {name!r}; {suggestion(name, SECTIONS)}"
    if name == SLURM_SECTION:
        return _NOT_BY_SLURM
    if not isinstance(content, dict) or not content:
        return f"{name} in a rule of {EXCLUDE} must hold keys with values, not {shown(content)}"
    return None


def _refused(document: Document, place: Place, value: Any, path: KeyPath) -> Iterator[Problem]:
    """What validation says of a single value, without what it says of the missing rest of a config."""
    keys = (*place[0].split("."), place[1])
    tree = with_value({}, keys, value)
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        found = problems_of(error, Document(_NOWHERE, tree, {keys: document.mark(path)}))
        yield from (problem for problem in found if problem.source != _NOWHERE)


def _equal(place: Place, value: Any, wanted: Any) -> bool:
    try:
        return bool(canonical(place, value) == wanted)
    except ValidationError:
        return False


def _in_base(base: Mapping[str, Any], place: Place) -> Any:
    value: Any = base
    for key in (*place[0].split("."), place[1]):
        value = value.get(key) if isinstance(value, dict) else None
    return value
