"""A Slurm profile: a file with nothing but the section ``Slurm``, for all configs that run on one cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from layerscope.config.config import Config
from layerscope.config.document import Document
from layerscope.config.messages import problems_of
from layerscope.config.names import SECTIONS, SLURM_SECTION
from layerscope.config.nearest import suggestion
from layerscope.config.schema import set_keys
from layerscope.config.yaml_reader import read_document
from layerscope.errors import Problem


def with_profile(document: Document, path: Path | str | None) -> Document:
    """``document`` with what the profile says about Slurm, where it says nothing itself.

    Keys within ``train``, ``measure``, ``plot`` and ``extra`` are joined one by one. What is wrong with the
    profile is added to the problems of the document.

    Raises
    ------
    ConfigError
        There is no such file, or it cannot be read at all.
    """
    if path is None:
        return document
    profile = read_document(path)
    data = {**document.data}
    given, own = profile.data.get(SLURM_SECTION), document.data.get(SLURM_SECTION)
    if isinstance(given, dict) and (own is None or isinstance(own, dict)):
        data[SLURM_SECTION] = _joined(given, own or {})
    marks = {place: mark for place, mark in profile.marks.items() if place[0] == SLURM_SECTION}
    problems = (*document.problems, *profile.problems, *_mistakes(profile))
    return replace(document, data=data, marks={**marks, **document.marks}, problems=problems)


def _joined(given: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with ``own`` first; None means "not set", so it takes nothing away."""
    joined = {**given, **{key: value for key, value in own.items() if value is not None or key not in given}}
    for key, value in joined.items():
        inner = given.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            joined[key] = _joined(inner, value)
    return joined


def _mistakes(profile: Document) -> Iterator[Problem]:
    """What is wrong with a profile, even where a config has the last word."""
    for section in profile.data:
        if section != SLURM_SECTION:
            yield profile.problem((section,), _not_here(section))
    content = profile.data.get(SLURM_SECTION)
    if content is None:
        yield Problem(profile.source, 0, f"a profile needs the section {SLURM_SECTION} with keys in it")
        return
    try:
        Config.model_validate({SLURM_SECTION: set_keys(content, SLURM_SECTION)})
    except ValidationError as error:
        alone = replace(profile, data={SLURM_SECTION: content})
        other = {(section,) for section in SECTIONS if section != SLURM_SECTION}
        yield from problems_of(error, alone, ignored=other)


def _not_here(section: str) -> str:
    wrong = f"a profile holds the section {SLURM_SECTION} and nothing else"
    if section in SECTIONS:
        return f"{wrong}; {section} belongs in a config"
    return f"{wrong}, but here is {section!r}; {suggestion(section, (SLURM_SECTION,))}"
