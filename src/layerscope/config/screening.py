"""A file with a section ``Screen``: networks that are there already, to be compared on one data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from layerscope.config.config import Config
from layerscope.config.document import Document, with_value
from layerscope.config.messages import problems_of
from layerscope.config.names import MATRIX_SECTION, SCREEN_SECTION
from layerscope.config.overrides import override
from layerscope.config.parse import parse_config
from layerscope.config.schema import set_keys
from layerscope.config.sections.screen import ScreenConfig
from layerscope.config.yaml_reader import read_document
from layerscope.errors import ConfigError, Problem, UsageError

_ANY_MODEL = "mlp"  # where files say whose weights they are
_UNUSED = {"loss": "celoss", "lr": 1.0, "epochs": 1}
_MEASURES = ["DSE", "DSMI"]
_TRAINS_NOTHING = ("Optimizer", "Slurm", MATRIX_SECTION)
_MEANINGLESS = (
    ("Model", "weights", "Screen.checkpoints names files"),
    ("Measurements", "splits", "train and test are measured"),
)


@dataclass(frozen=True)
class Screening:
    """Networks to compare, and what they are compared on.

    Parameters
    ----------
    settings
        The section ``Screen``.
    config
        All other sections; its model is only a place to start from.
    model_given
        Whether ``Model.model-name`` is set, and so says whose weights the files are.
    taps_given
        Whether ``Model.embedding-layers`` is set: these layers are then measured beside the last features.
    """

    settings: ScreenConfig
    config: Config
    model_given: bool = False
    taps_given: bool = False

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return Path(self.config.logging.save_dir)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=str.capitalize)

    screen: ScreenConfig


def load_screening(path: Path | str, overrides: Sequence[str] = ()) -> Screening:
    """The screening that the file ``path`` describes, with ``overrides`` in place of its values.

    Raises
    ------
    ConfigError
        Everything that is wrong with it, at once.
    UsageError
        The file has no section Screen.
    """
    document = override(read_document(path), overrides)
    if SCREEN_SECTION not in document.data:
        raise UsageError(f"{path} has no section {SCREEN_SECTION}, which names the networks to compare")
    settings, wrong = _settings(document)
    problems = [*wrong, *_superfluous(document)]
    try:
        config = parse_config(_completed(document, settings))
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems or settings is None:
        raise ConfigError(problems)
    model = document.data.get("Model") or {}
    named, tapped = (model.get(key) is not None for key in ("model-name", "embedding-layers"))
    return Screening(settings, config, named, tapped)


def _settings(document: Document) -> tuple[ScreenConfig | None, list[Problem]]:
    content = set_keys(document.data[SCREEN_SECTION], SCREEN_SECTION)
    try:
        return _File.model_validate({SCREEN_SECTION: content}).screen, []
    except ValidationError as error:
        return None, problems_of(error, document)


def _superfluous(document: Document) -> Iterator[Problem]:
    """What would be ignored."""
    for section in _TRAINS_NOTHING:
        if section in document.data:
            yield document.problem((section,), f"a screening trains nothing: leave the section {section} out")
    for section, key, why in _MEANINGLESS:
        if key in (document.data.get(section) or {}):
            yield document.problem((section, key), f"{key} means nothing for a screening: {why}")


def _completed(document: Document, settings: ScreenConfig | None) -> Document:
    """The document as a config of a single network, which training is not asked of."""
    left_out = {SCREEN_SECTION, *_TRAINS_NOTHING}
    data: dict[str, Any] = {name: content for name, content in document.data.items() if name not in left_out}
    data["Optimizer"] = _UNUSED
    if not (data.get("Model") or {}).get("model-name"):
        first = settings.models[0] if settings is not None and settings.models else _ANY_MODEL
        data = with_value(data, ("Model", "model-name"), first)
    if not (data.get("Measurements") or {}).get("measures"):
        data = with_value(data, ("Measurements", "measures"), _MEASURES)
    return replace(document, data=data)
