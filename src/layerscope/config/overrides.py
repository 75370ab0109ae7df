"""``--set Section.key=value``: single values in place of those of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from layerscope.config.document import Document, KeyPath, Mark, normalised_key
from layerscope.config.names import SECTIONS
from layerscope.config.nearest import suggestion
from layerscope.config.yaml_reader import value_from_text
from layerscope.errors import ConfigError, Problem


def override(document: Document, assignments: Sequence[str]) -> Document:
    """``document`` with the values of ``assignments`` (``"Optimizer.lr=0.1"``), which are read as YAML.

    Mistakes in an assignment are added to the document's problems, located as ``--set Section.key``.
    """
    given: dict[KeyPath, Any] = {}
    marks = dict(document.marks)
    problems = list(document.problems)
    for assignment in assignments:
        try:
            path, value = _parsed(assignment)
            _refuse_second(path, given)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        given[path] = value
        marks = {place: mark for place, mark in marks.items() if place[:2] != path}
        marks[path] = Mark(_source(".".join(map(str, path))), 0)
    data = _with_values(document.data, given)
    return replace(document, data=data, marks=marks, problems=tuple(problems))


def _parsed(assignment: str) -> tuple[KeyPath, Any]:
    target, equals, text = assignment.partition("=")
    section, dot, key = target.strip().partition(".")
    source = _source(target.strip())
    if not (equals and dot and section and key):
        raise ConfigError([Problem(source, 0, f"{assignment!r} is not of the form Section.key=value")])
    if section not in SECTIONS:
        wrong = f"unknown section {section!r}; {suggestion(section, SECTIONS)}"
        raise ConfigError([Problem(source, 0, wrong)])
    return (section, normalised_key(key, (section,))), value_from_text(text, source)


def _refuse_second(path: KeyPath, given: dict[KeyPath, Any]) -> None:
    if path in given:
        raise ConfigError([Problem(_source(".".join(map(str, path))), 0, "given twice")])


def _with_values(data: dict[str, Any], given: dict[KeyPath, Any]) -> dict[str, Any]:
    changed = dict(data)
    for (section, key), value in given.items():
        old = changed.get(str(section))
        if old is None or isinstance(old, dict):
            changed[str(section)] = {**(old or {}), key: value}
    return changed


def _source(target: str) -> str:
    return f"--set {target}"
