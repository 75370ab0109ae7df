"""What the configs of many runs say: a section that runs share is read once."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerscope.config import load_config
from layerscope.config.document import Document
from layerscope.config.names import SECTIONS, SLURM_SECTION
from layerscope.config.schema import section_model, set_keys
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

Values = Mapping[str, object]

_SECTION = re.compile(r"^(?=\S)", re.MULTILINE)


def stored_values(path: Path) -> Values:
    """``Section.key`` → value of every key of a config, defaults too; of ``Slurm`` only what is set.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file.
    """
    values = _by_sections(path)
    return leaves(load_config(path).resolved()) if values is None else values


def leaves(tree: Mapping[str, Any], above: str = "") -> dict[str, object]:
    """The values of nested mappings, under their keys joined by dots."""
    found: dict[str, object] = {}
    for name, value in tree.items():
        key = f"{above}.{name}" if above else name
        found.update(leaves(value, key) if isinstance(value, Mapping) else {key: value})
    return found


def _by_sections(path: Path) -> Values | None:
    """The values, section by section; None when it takes a look at the whole file."""
    try:
        parts = _SECTION.split(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    found = [_section(part) for part in parts if part.strip() and not part.startswith("#")]
    sections = dict(section for section in found if section is not None)
    if len(sections) < len(found):  # not a section, or one that is given twice
        return None
    values = {name: sections[name] if name in sections else _default(name) for name in SECTIONS}
    if any(section is None for section in values.values()):
        return None
    return {key: value for section in values.values() if section for key, value in section.items()}


@functools.lru_cache(maxsize=10_000)
def _section(text: str) -> tuple[str, Values] | None:
    """The name and the values of the one section that ``text`` spells; None when it is anything else."""
    try:
        document = document_from_text(text, "config")
    except ConfigError:
        return None
    name = next(iter(document.data))
    if len(document.data) > 1 or document.problems or name not in SECTIONS:
        return None
    values = _values(name, document)
    return None if values is None else (name, values)


def _values(name: str, document: Document) -> Values | None:
    content = set_keys(document.data[name], name)
    try:
        section = section_model(name).model_validate(content)
    except ValueError:
        return None
    return leaves({name: content if name == SLURM_SECTION else section.plain()})


@functools.cache
def _default(name: str) -> Values | None:
    """The values of a section that a config leaves out; None when it may not."""
    return _values(name, Document("config", {name: None}))
