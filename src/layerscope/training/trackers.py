"""Programs that show the course of training; one that fails is dropped, and training goes on."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from layerscope.config import Config
from layerscope.config.nearest import suggestion
from layerscope.errors import UsageError
from layerscope.training.log import EpochRow

logger = logging.getLogger(__name__)


class Tracker(Protocol):
    """What is asked of a tracker."""

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """Show the values of one epoch."""

    def close(self) -> None:
        """Bring everything to disk, or to the server."""


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker must know of the run; ``first_epoch`` is the first that this process logs."""

    folder: Path
    name: str
    config: Config
    first_epoch: int


class TensorBoard:
    """Event files in ``<run>/tensorboard``; what was written after the resume point is purged."""

    def __init__(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(run.folder / "tensorboard"), purge_step=run.first_epoch)

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """Write one scalar per value."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


class WandB:
    """Weights & Biases; the run's id is the config's hash, so that a resumed run goes on under the same id.

    Project, entity and mode (``offline``, ``disabled``) come from W&B's own environment variables.
    """

    def __init__(self, run: TrackedRun) -> None:
        import wandb

        run.folder.mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "layerscope"),
            id=run.config.hash,
            name=run.name,
            dir=str(run.folder),
            config=run.config.resolved(),
            resume="allow",
        )

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """Send all values as one step."""
        self._run.log(values, step=epoch)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


TRACKERS: dict[str, Callable[[TrackedRun], Tracker]] = {"tensorboard": TensorBoard, "wandb": WandB}


class Trackers:
    """The trackers of one run, opened at the first row.

    Parameters
    ----------
    names
        Keys of :data:`TRACKERS`; another name raises :class:`UsageError` at the first row.
    folder
        The run's folder.
    """

    def __init__(self, names: Sequence[str], folder: Path, run_name: str, config: Config) -> None:
        self.names = names
        self.folder = folder
        self.run_name = run_name
        self.config = config
        self._opened: dict[str, Tracker] | None = None

    def log(self, epoch: int, row: EpochRow, more: Mapping[str, float] | None = None) -> None:
        """Pass the finite numbers of ``row``, and ``more`` of them, on."""
        known = {name: value for name, value in asdict(row).items() if value is not None}
        numbers = {name: float(value) for name, value in known.items() if name != "epoch"} | dict(more or {})
        values = {name: value for name, value in numbers.items() if math.isfinite(value)}
        if self._opened is None:
            self._opened = self._open(TrackedRun(self.folder, self.run_name, self.config, epoch))
        for name, tracker in list(self._opened.items()):
            if not _survives(name, partial(tracker.log, epoch, values)):
                del self._opened[name]

    def close(self) -> None:
        """Close all that are open."""
        for name, tracker in (self._opened or {}).items():
            _survives(name, tracker.close)
        self._opened = {}

    def _open(self, run: TrackedRun) -> dict[str, Tracker]:
        unknown = [name for name in self.names if name not in TRACKERS]
        if unknown:
            raise UsageError(f"unknown tracker {unknown[0]!r}; {suggestion(unknown[0], tuple(TRACKERS))}")
        opened: dict[str, Tracker] = {}
        for name in self.names:
            _survives(name, partial(_open_into, opened, name, run))
        return opened


def _open_into(opened: dict[str, Tracker], name: str, run: TrackedRun) -> None:
    opened[name] = TRACKERS[name](run)


def _survives(name: str, action: Callable[[], object]) -> bool:
    """Run ``action``; when it raises, say so once and answer False."""
    try:
        action()
    except Exception as error:  # whatever a tracker does must not end the run
        remedy = f" (pip install {name})" if isinstance(error, ImportError) else ""
        logger.warning("%s failed and is left out from now on: %s%s", name, error, remedy)
        return False
    return True
