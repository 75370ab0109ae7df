"""The resume point: everything an interrupted run needs to go on as if nothing had happened.

Order, augmentation and schedule are absent on purpose: every epoch derives its own streams from the config
(``randomness.py``), and the learning rate is a pure function of the step (``schedules.py``). Only dropout
draws as it goes; where its stream stands in mid-epoch is kept with the part of the epoch that is done.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from layerscope.errors import DamagedFile, RunFolderError
from layerscope.training.course import EpochPart
from layerscope.training.position import Position

_REMEDY = "It is left unused."


@dataclass(frozen=True)
class ResumePoint:
    """The state after a whole epoch, or after some steps of the next one.

    Parameters
    ----------
    epoch
        The last finished epoch; 0 is the initialisation.
    identity
        The hash of the config that produced it.
    model
        The model's state dict.
    optimizer
        The ``state`` part of the optimizer's state dict. Its hyper-parameters come from the config.
    part
        What is done of the epoch after ``epoch``; None when that has not begun.
    """

    epoch: int
    identity: str
    model: dict[str, Tensor]
    optimizer: dict[int, Any]
    part: EpochPart | None = None

    @property
    def position(self) -> Position:
        """Where training goes on."""
        return Position(self.epoch, self.part.step if self.part else 0)

    def to_bytes(self) -> bytes:
        """Serialise with a digest of the content (in memory: torch would hide a full disk's OSError)."""
        part = self.part and self.part.to_tree()
        content = _on_cpu({**vars(self), "part": part})
        stream = io.BytesIO()
        torch.save({"content": content, "digest": _digest(content)}, stream)
        return stream.getvalue()

    @classmethod
    def read(cls, path: Path) -> ResumePoint:
        """Load a file that :meth:`to_bytes` filled; pickled objects of any other kind are never executed.

        Raises
        ------
        DamagedFile
            The file is anything else, or its content has changed since it was written.
        RunFolderError
            Another version of layerscope wrote it.
        """
        tree = _load(path)
        if not isinstance(tree, dict) or set(tree) != {"content", "digest"}:
            raise DamagedFile(path, "it is not a resume point", _REMEDY)
        if _digest(tree["content"]) != tree["digest"]:
            raise DamagedFile(path, "its content is not what was written", _REMEDY)
        return cls._of_content(path, tree["content"])

    @classmethod
    def _of_content(cls, path: Path, content: dict[str, Any]) -> ResumePoint:
        known = {each.name for each in fields(cls)}
        if not known - {"part"} <= set(content) <= known:  # points without a part are of earlier versions
            raise RunFolderError(
                f"{path} was written by another version of layerscope. Go on with that version, or delete "
                "the run's folder to start afresh."
            )
        part = content.get("part")
        return cls(**{**content, "part": EpochPart.of_tree(part) if part else None})


def _load(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch comments on foreign pickles before it refuses them
            return torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = "it holds something other than tensors and numbers, which is never loaded"
        raise DamagedFile(path, reason, _REMEDY) from error
    except Exception as error:  # garbled bytes make torch.load raise nearly anything
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise DamagedFile(path, f"it cannot be read ({first_line})", _REMEDY) from error


def _on_cpu(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.detach().cpu()
    if isinstance(tree, dict):
        return {key: _on_cpu(value) for key, value in tree.items()}
    return tree


def _digest(tree: Any) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(tree):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(tree: Any) -> Iterator[Any]:
    """Yield the content as buffers, each announced by what it is, so that no two trees read the same."""
    if isinstance(tree, Tensor):
        yield f"{tree.dtype} {tuple(tree.shape)}".encode()
        yield tree.contiguous().reshape(-1).view(torch.uint8).numpy()
    elif isinstance(tree, dict):
        yield f"{len(tree)} keys".encode()
        for key, value in tree.items():
            yield repr(key).encode()
            yield from _pieces(value)
    else:
        yield repr(tree).encode()
