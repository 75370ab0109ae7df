"""The files of a run's ``checkpoints`` folder: weights per epoch, and the point to resume from."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from layerscope.errors import DamagedFile, MeasurementError, ModelError, RunFolderError
from layerscope.files import atomic_path, write_atomic
from layerscope.training.manifest import CheckpointEntry, CheckpointManifest
from layerscope.training.position import write_position
from layerscope.training.resume import ResumePoint

logger = logging.getLogger(__name__)

_SHOWN_KEYS = 4


class CheckpointStore:
    """Saves and loads checkpoints, never torn and never unverified.

    Parameters
    ----------
    folder
        The ``checkpoints`` folder itself; it is created at the first save.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = CheckpointManifest(folder)
        self.resume_path = folder / "resume.pt"
        self.previous_resume_path = folder / "resume_previous.pt"

    def save(self, epoch: int, model: nn.Module, score: tuple[float, ...] = ()) -> Path:
        """Write the weights and buffers of ``model`` as the checkpoint of ``epoch``.

        With a ``score``, as the best one so far.
        """
        content: bytes = safetensors.torch.save(_tensors(model))
        path = self.folder / f"epoch_{epoch:04d}.safetensors"
        write_atomic(path, content)
        digest = hashlib.sha256(content).hexdigest()
        self.manifest.record(epoch, CheckpointEntry(path.name, len(content), digest, score=score))
        return path

    def load(self, epoch: int) -> dict[str, Tensor]:
        """Return the weights and buffers of ``epoch`` on the CPU, verified.

        Raises
        ------
        DamagedFile
            The file is missing, truncated or altered.
        MeasurementError
            That epoch was never saved.
        """
        path = self.manifest.verify(epoch)
        weights: dict[str, Tensor] = safetensors.torch.load_file(path)
        return weights

    def load_into(self, model: nn.Module, epoch: int) -> None:
        """Put the weights and buffers of ``epoch`` into ``model``.

        Raises
        ------
        MeasurementError
            The checkpoint is of another architecture; the message names the keys.
        """
        weights = self.load(epoch)
        if difference := describe_difference(model, weights):
            name = self.folder / self.manifest.entry(epoch).file
            raise MeasurementError(
                f"{name} does not fit the model of this config: {difference}. "
                "It belongs to another architecture; use the config it was trained with."
            )
        model.load_state_dict(weights)

    def last_good(self) -> Path | None:
        """The newest checkpoint whose file is intact."""
        entries = self.manifest.entries()
        intact = [epoch for epoch in sorted(entries) if self.manifest.intact(epoch)]
        return self.folder / entries[intact[-1]].file if intact else None

    def save_resume(self, point: ResumePoint) -> None:
        """Make ``point`` the one to resume from, and keep the one before it."""
        content = point.to_bytes()
        with atomic_path(self.resume_path) as beside:
            beside.write_bytes(content)
            if self.resume_path.exists():  # only now that the new one fits on the disk
                self.resume_path.replace(self.previous_resume_path)
        write_position(self.folder, point.position)

    def load_resume(self, identity: str) -> ResumePoint | None:
        """Return the newest intact resume point; damaged ones are named in a warning and left out.

        Raises
        ------
        RunFolderError
            The point was written by a run of another config than ``identity``.
        """
        paths = [path for path in (self.resume_path, self.previous_resume_path) if path.exists()]
        for path in paths:
            try:
                point = ResumePoint.read(path)
            except DamagedFile as damage:
                logger.warning("%s", damage)
                continue
            self._check_identity(path, point, identity)
            return point
        if paths:
            logger.warning("no intact resume point is left in %s: training starts again", self.folder)
        return None

    def _check_identity(self, path: Path, point: ResumePoint, identity: str) -> None:
        if point.identity != identity:
            raise RunFolderError(
                f"{path} belongs to the config with hash {point.identity}, but this config has {identity}. "
                "Choose another Logging.save-dir, or delete the folder to start afresh."
            )


def describe_difference(model: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """Say which keys of ``weights`` do not fit ``model``; empty when all do."""
    own = model.state_dict()
    shapes = [
        f"{key} is {tuple(weights[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own.keys() & weights.keys()
        if own[key].shape != weights[key].shape
    ]
    parts = {
        "missing": sorted(own.keys() - weights.keys()),
        "unexpected": sorted(weights.keys() - own.keys()),
        "other shapes": sorted(shapes),
    }
    return "; ".join(f"{what}: {_shorten(keys)}" for what, keys in parts.items() if keys)


def _shorten(keys: list[str]) -> str:
    rest = len(keys) - _SHOWN_KEYS
    return ", ".join(keys[:_SHOWN_KEYS]) + (f" and {rest} more" if rest > 0 else "")


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Contiguous copies on the CPU: safetensors refuses storage that two names share."""
    state = model.state_dict()
    foreign = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if foreign:
        raise ModelError(
            f"the model's state holds something other than tensors ({_shorten(foreign)}), which a checkpoint "
            "cannot keep. Register it as a buffer, or leave it out of the state dict."
        )
    return {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format) for key, value in state.items()
    }
