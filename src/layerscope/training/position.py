"""How far training can go on from, as a small file beside the resume point. Needs no torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from layerscope.files import write_json

NOTHING = -1
"""The last finished epoch of a run in which not even the initialisation (epoch 0) is saved."""

_NAME = "progress.json"


@dataclass(frozen=True, order=True)
class Position:
    """A place in training; a later one is greater.

    Attributes
    ----------
    epoch : int
        The last finished epoch.
    step : int
        Finished steps of the epoch after it.
    """

    epoch: int = NOTHING
    step: int = 0


def read_position(folder: Path) -> Position:
    """Where the run of a ``checkpoints`` folder goes on from; before everything when that is unknown."""
    try:
        tree = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        return Position(int(tree["epoch"]), int(tree["step"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Position()


def write_position(folder: Path, position: Position) -> None:
    """Note where the newest resume point stands."""
    write_json(folder / _NAME, asdict(position), durable=False)
