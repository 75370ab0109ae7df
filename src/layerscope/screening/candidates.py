"""Which networks a screening names: models by their names, files of weights by path, folder or pattern."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerscope.config import Config, ModelConfig, load_config
from layerscope.config.screening import Screening
from layerscope.config.sections.screen import WeightsFiles
from layerscope.errors import LayerscopeError, UsageError

SUFFIXES = (".pt", ".pth", ".safetensors")
"""Endings of files of weights in a folder."""

_FAMILY = re.compile(r"[a-z]+?(?=v?\d|_|$)")


@dataclass(frozen=True)
class Candidate:
    """One network to be measured.

    Parameters
    ----------
    name
        What the table calls it: the model's name, or the path of its weights.
    model
        How it is built, without its weights; None when nothing says so.
    weights
        The file of its weights, if any.
    problem
        Why it cannot be measured, as far as it is known already.
    """

    name: str
    model: ModelConfig | None
    weights: Path | None = None
    problem: str = ""

    @property
    def family(self) -> str:
        """The beginning of the architecture's name: ``resnet`` of ``timm/resnet18_pretrained``."""
        if self.model is None:
            return ""
        plain = re.split(r"[/:]", self.model.model_name)[-1].lower()
        found = _FAMILY.match(plain)
        return found[0] if found else plain


def candidates(screening: Screening) -> list[Candidate]:
    """All of them, in the order of the file, each once.

    Raises
    ------
    UsageError
        A path or pattern that means no file.
    """
    named = (Candidate(name, _model(screening.config, name)) for name in screening.settings.models)
    found = [*named, *(one for entry in screening.settings.checkpoints for one in _of(entry, screening))]
    return list({candidate.name: candidate for candidate in reversed(found)}.values())[::-1]


def _of(entry: WeightsFiles, screening: Screening) -> Iterator[Candidate]:
    for pattern in entry.files:
        for path in weights_files(pattern):
            yield _candidate(path, entry, screening)


def _candidate(path: Path, entry: WeightsFiles, screening: Screening) -> Candidate:
    try:
        model = _model_of(path, entry, screening)
    except LayerscopeError as error:
        return Candidate(str(path), None, path, str(error))
    return Candidate(str(path), model, path, "" if model is not None else _unknown(path))


def weights_files(pattern: str) -> list[Path]:
    """The files that a path means: itself, those of a folder that end as weights do, those that fit ``*``.

    Raises
    ------
    UsageError
        There is none.
    """
    path = Path(pattern).expanduser()
    if path.is_dir():
        found = [each for each in sorted(path.iterdir()) if each.suffix in SUFFIXES]
        found = [each for each in found if not each.name.startswith((".", "resume"))]
    else:
        found = sorted(Path(each) for each in glob.glob(str(path), recursive=True))  # noqa: PTH207
        found = [each for each in found if each.is_file()]
    if not found:
        raise UsageError(f"Screen.checkpoints: {pattern} means no file of weights (seen from {Path.cwd()})")
    return found


def _model_of(path: Path, entry: WeightsFiles, screening: Screening) -> ModelConfig | None:
    """Whose weights a file holds: as the entry says, else the run that it is of, else the config."""
    if entry.model is not None:
        return _model(screening.config, entry.model)
    own = path.parent.parent / "config.yaml"
    if path.parent.name == "checkpoints" and own.is_file():
        return _taken_as(screening.config, load_config(own).model)
    return screening.config.model if screening.model_given else None


def _model(config: Config, name: str) -> ModelConfig:
    """The network of that name, otherwise as ``Model`` says."""
    return config.model.model_copy(update={"model_name": name})


def _taken_as(config: Config, model: ModelConfig) -> ModelConfig:
    """The network of another config, its features taken as here."""
    here = config.model
    taken = {"embedding_layers": here.embedding_layers, "tap": here.tap, "reduce": here.reduce}
    return model.model_copy(update={**taken, "weights": None})


def _unknown(path: Path) -> str:
    return (
        f"nothing says whose weights {path.name} holds: name the model, as in "
        f"{{model: resnet18, files: {path}}}, or set Model.model-name"
    )
