"""``--set Section.key=value``: single values in place of those of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from layerscope.config.document import Document, KeyPath, Mark, normalised_key, with_value
from layerscope.config.names import NESTED_KEYS, SCREEN_SECTION, SECTIONS
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
        marks = {place: mark for place, mark in marks.items() if place[: len(path)] != path}
        around = _marks(path[:2], None)  # a key that holds this one, and may stand nowhere else
        marks = {**around, **marks, **_marks(path, value)}
    data = _with_values(document.data, given)
    return replace(document, data=data, marks=marks, problems=tuple(problems))


def _parsed(assignment: str) -> tuple[KeyPath, Any]:
    target, equals, text = assignment.partition("=")
    section, dot, key = target.strip().partition(".")
    source = _source(target.strip())
    if not (equals and dot and section and key):
        raise ConfigError([Problem(source, 0, f"{assignment!r} is not of the form Section.key=value")])
    if section not in (*SECTIONS, SCREEN_SECTION):
        wrong = f"unknown section {section!r}; {suggestion(section, SECTIONS)}"
        raise ConfigError([Problem(source, 0, wrong)])
    outer, dot, inner = key.partition(".")
    keys = (outer, inner) if dot and section in NESTED_KEYS else (key,)
    path = _normalised((section, *keys))
    return path, value_from_text(text, source, path)


def _normalised(path: tuple[str, ...]) -> KeyPath:
    return tuple(normalised_key(key, path[:depth]) if depth else key for depth, key in enumerate(path))


def _marks(path: KeyPath, value: Any) -> dict[KeyPath, Mark]:
    """Marks of a value, and of those it holds under keys."""
    inner = [(*path, key) for key in value] if isinstance(value, dict) else []
    return {place: Mark(_source(".".join(map(str, place))), 0) for place in (path, *inner)}


def _refuse_second(path: KeyPath, given: dict[KeyPath, Any]) -> None:
    if any(path[: len(other)] == other[: len(path)] for other in given):
        raise ConfigError([Problem(_source(".".join(map(str, path))), 0, "given twice")])


def _with_values(data: dict[str, Any], given: dict[KeyPath, Any]) -> dict[str, Any]:
    changed = data
    for path, value in given.items():
        changed = with_value(changed, path, value)
    return changed


def _source(target: str) -> str:
    return f"--set {target}"
