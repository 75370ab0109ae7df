"""A document, or a plain tree, → a :class:`Config`; or one error with everything that is wrong with it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from layerscope.config.config import Config
from layerscope.config.document import Document, document_of
from layerscope.config.messages import problems_of
from layerscope.config.names import MATRIX_SECTION, SCREEN_SECTION, SECTIONS
from layerscope.config.nearest import suggestion
from layerscope.config.overrides import override
from layerscope.config.profile import with_profile
from layerscope.config.schema import set_keys
from layerscope.config.yaml_reader import read_document
from layerscope.errors import ConfigError, Problem, UsageError

log = logging.getLogger(__name__)


def load_config(
    path: Path | str,
    overrides: Sequence[str] = (),
    profile: Path | str | None = None,
    *,
    matrix: bool = False,
) -> Config:
    """The config in the file ``path``, with ``overrides`` (``"Section.key=value"``) in place of its values.

    Parameters
    ----------
    profile
        A file with a section ``Slurm`` and nothing else: what holds where the config says nothing.
    matrix
        Whether the caller asked for a matrix (``-m``); a file without one is then its single run.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file, the profile and the overrides, at once.
    UsageError
        The file describes many runs, so it is not one config.
    """
    document = override(with_profile(read_document(path), profile), overrides)
    if document.has_matrix:
        raise UsageError(_matrix_message(path, asked_for=matrix))
    return parse_config(document)


def parse_config(given: Document | Mapping[str, Any], source: str = "config") -> Config:
    """The config that a document, or a tree of plain values, describes.

    Raises
    ------
    ConfigError
        Everything that is wrong with it, at once.
    """
    document = given if isinstance(given, Document) else document_of(given, source)
    unknown = [section for section in document.data if section not in SECTIONS]
    problems = [*document.problems, *(_unknown_section(section, document) for section in unknown)]
    try:
        config = Config.model_validate(_what_is_set(document.data))
    except ValidationError as error:
        raise ConfigError([*problems, *problems_of(error, document, unknown)]) from None
    if problems:
        raise ConfigError(problems)
    warn_of_what_is_left_out(config, document.source)
    return config


def _what_is_set(data: Mapping[str, Any]) -> dict[str, Any]:
    """The known sections without what is None, which means "not set"; an empty section has no keys."""
    sections = {section: data[section] for section in SECTIONS if section in data}
    return {section: set_keys(content, section) for section, content in sections.items()}


def _unknown_section(section: str, document: Document) -> Problem:
    if section == MATRIX_SECTION:
        message = "the section Matrix describes many configs; expand it before reading one of them"
    elif section == SCREEN_SECTION:
        message = "the section Screen names networks to compare, not a run; add --screen to compare them"
    else:
        message = f"unknown section {section!r}; {suggestion(section, SECTIONS)}"
    return document.problem((section,), message)


def _matrix_message(path: Path | str, *, asked_for: bool) -> str:
    if asked_for:
        return f"{path} has a section Matrix, so it is many configs; this function reads a single one."
    return f"{path} has a section Matrix, so it describes many runs; add -m (--matrix) to run them."


def warn_of_what_is_left_out(config: Config, source: str) -> None:
    """Say what was asked for and will not happen, as nothing is ignored silently."""
    if beyond := config.epochs_beyond_training:
        epochs, last = ", ".join(map(str, beyond)), config.optimizer.epochs
        _warn_once(
            f"{source}: log-epochs {epochs} lie beyond the end of training (epochs: {last}) and are left out"
        )
    for group in config.measurements.empty_groups:
        _warn_once(f"{source}: no measure of group {group} exists in this version")


@functools.cache
def _warn_once(message: str) -> None:
    log.warning(message)
