"""The runs of a preview: how each stands, what it keeps, and where it differs from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerscope.config import Config
from layerscope.errors import DamagedFile
from layerscope.preview.contents import RunPreview
from layerscope.preview.disk import disk_bytes
from layerscope.preview.question import Answer
from layerscope.preview.standing import Standing
from layerscope.run_folder import RunFolder

BEST = 2
"""Checkpoints that ``Logging.keep-best`` adds at most: the best one, and while training the one before it."""


def run_previews(
    runs: Sequence[RunFolder],
    places: Sequence[int],
    stages: Sequence[str],
    standing: Standing,
    answers: Mapping[int, Answer],
) -> tuple[RunPreview, ...]:
    """One for each run; ``places`` are those of their models, ``answers`` what torch says of these."""
    sizes = _Sizes(answers)
    words = {id(one): {stage: one[stage].state for stage in stages} for one in standing.states}
    saved = {id(run): _saved_bytes(run) for run in standing.begun}
    previews = []
    for run, place, states in zip(runs, places, standing.states, strict=True):
        stands, size = words[id(states)], sizes.disk_bytes(run.config, place)
        left = max(0, size - saved.get(id(run), 0)) if stands.get("train", "done") != "done" else 0
        epochs = sizes.checkpoints(run.config)
        previews.append(
            RunPreview(run.name, run.folder, run.config, run.axes, epochs, stands, place, size, left)
        )
    return tuple(previews)


def axes_of(runs: Sequence[RunFolder]) -> dict[str, tuple[object, ...]]:
    """Axis → its values in order of appearance."""
    names = runs[0].axes if runs else {}
    return {name: _distinct([run.axes[name] for run in runs]) for name in names}


def _distinct(values: Sequence[object]) -> tuple[object, ...]:
    """Each value once, lists too; cells share their values, so few are spelt out."""
    by_identity = {id(value): value for value in values}.values()
    return tuple({repr(value): value for value in by_identity}.values())


def _saved_bytes(run: RunFolder) -> int:
    """What the checkpoints of a run fill already."""
    try:
        return sum(entry.bytes for entry in run.checkpoints.entries().values())
    except DamagedFile:  # training will say so
        return 0


class _Sizes:
    """Checkpoints and disk of runs, worked out once for all cells that share the sections in question.

    Sections are told apart by their identity, so the runs must outlive this.

    Parameters
    ----------
    answers : mapping
        Place of a model → what torch says of it.
    """

    def __init__(self, answers: Mapping[int, Answer]) -> None:
        self._answers = answers
        self._epochs: dict[tuple[int, int], tuple[int, ...]] = {}
        self._disk: dict[tuple[int, int, int], int] = {}

    def checkpoints(self, config: Config) -> tuple[int, ...]:
        """The epochs that are kept."""
        key = (id(config.logging), config.optimizer.epochs)
        if key not in self._epochs:
            self._epochs[key] = config.checkpoint_epochs
        return self._epochs[key]

    def disk_bytes(self, config: Config, place: int) -> int:
        """What a run of the model at ``place`` fills when it is trained; 0 when that is not known."""
        count = len(self.checkpoints(config)) + (BEST if config.logging.keep_best else 0)
        key = (place, id(config.optimizer), count)
        if key not in self._disk:
            answer = self._answers.get(place)
            self._disk[key] = disk_bytes(config, answer, count) if answer else 0
        return self._disk[key]
