"""What can go of one place, and what went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Removal:
    """Files of one run, or of the jobs of an experiment.

    Parameters
    ----------
    name : str
        What messages call it.
    files : tuple of Path
    bytes : int
        What they fill.
    epochs : tuple of int
        The checkpoints among them.
    unmeasured : tuple of int
        Those of ``epochs`` of which a wanted measure is missing; afterwards it cannot be measured.
    left : str
        Why nothing goes; "" when that is not so.
    """

    name: str
    files: tuple[Path, ...] = ()
    bytes: int = 0
    epochs: tuple[int, ...] = ()
    unmeasured: tuple[int, ...] = ()
    left: str = ""


def size_of(files: Iterable[Path]) -> int:
    """What files fill, as far as they are there."""
    return sum(path.stat().st_size for path in files if path.is_file())
