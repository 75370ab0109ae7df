"""Which of the processes of a run this one is. Needs no torch.

A process is alone (rank 0 of 1) unless it has entered :func:`layerscope.distributed.group.process_group`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from layerscope.errors import UsageError

_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Ranks:
    """The place of this process among those of its run.

    Attributes
    ----------
    rank, size : int
        0 <= rank < size; rank 0 alone writes files.
    local : int
        Rank among the processes of this node, which says whose GPU is whose.
    """

    rank: int = 0
    size: int = 1
    local: int = 0


ALONE = Ranks()
_entered = [ALONE]


def rank() -> int:
    """The number of this process; 0 when it is alone."""
    return _entered[-1].rank


def world_size() -> int:
    """How many processes share the run."""
    return _entered[-1].size


@contextmanager
def entered(ranks: Ranks) -> Iterator[None]:
    """Be one of several processes, until the block ends."""
    _entered.append(ranks)
    try:
        yield
    finally:
        _entered.pop()


def ranks_of(environment: Mapping[str, str] = os.environ) -> Ranks:
    """The place that torchrun's variables give this process; without ``WORLD_SIZE`` above 1 it is alone.

    Raises
    ------
    UsageError
        One of the variables is missing, or they contradict each other.
    """
    if environment.get("WORLD_SIZE", "1") == "1":
        return ALONE
    missing = [name for name in _NAMES if not environment.get(name)]
    if missing:
        raise UsageError(
            f"WORLD_SIZE is {environment['WORLD_SIZE']}, but {', '.join(missing)} is not set. "
            "Start all processes with torchrun or by the Slurm launcher, or unset WORLD_SIZE."
        )
    rank, size, local = (_number(environment, name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    if not 0 <= rank < size:
        raise UsageError(f"RANK is {rank}, which is not below WORLD_SIZE, {size}.")
    return Ranks(rank, size, local)


def _number(environment: Mapping[str, str], name: str) -> int:
    try:
        return int(environment[name])
    except ValueError:
        raise UsageError(f"{name} is {environment[name]!r}, which is not a number.") from None
