"""How a run stands as a whole: its stages, how far its training has come, and what it gave so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from layerscope.launch.following.log_files import log_of
from layerscope.launch.states.stage_states import StageState
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES
from layerscope.training.log import COLUMNS

States = Mapping[str, StageState]

TROUBLE = ("failed", "timed-out", "lost", "cancelled", "stopped")
"""States that a stage leaves only when somebody starts it again."""

_REACHED = {"measure": "trained", "plot": "measured"}
"""What a run is whose next stage nobody asked for yet."""

_TAIL = 1024  # bytes; a row of a log has some 150
_ACCURACY = COLUMNS.index("test_accuracy")


@dataclass(frozen=True)
class Standing:
    """A run and its states."""

    run: RunFolder
    states: States

    @property
    def stage(self) -> str:
        """The first stage that is not done; the last one when all are."""
        known = [stage for stage in STAGES if stage in self.states]
        return next((stage for stage in known if self.states[stage].state != "done"), known[-1])

    @property
    def state(self) -> StageState:
        """How that stage stands."""
        return self.states[self.stage]

    @property
    def word(self) -> str:
        """The run in a word: the state of that stage, "trained", or "measured"."""
        return _REACHED.get(self.stage, "new") if self.state.state == "new" else self.state.state

    @property
    def jobs(self) -> list[str]:
        """The jobs that wait for it or work on it, in the order of their stages, each once."""
        active = (state.job for state in self.states.values() if state.state in ("queued", "running"))
        return [job for job in dict.fromkeys(active) if job]

    @property
    def trouble(self) -> list[str]:
        """The stages that somebody has to start again; those they block start with them."""
        return [stage for stage, state in self.states.items() if state.state in TROUBLE]

    @cached_property
    def last(self) -> tuple[int | None, float | None]:
        """The epoch that was finished last, and the accuracy on the test split there."""
        return last_row(self.run.log_path)

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        epoch, accuracy = self.last
        return {
            "name": self.run.name,
            "path": str(self.run.folder),
            "axes": dict(self.run.axes),
            "state": self.word,
            "epoch": epoch,
            "epochs": self.run.config.optimizer.epochs,
            "test_accuracy": accuracy,
            "stages": {stage: self._plain_stage(stage) for stage in self.states},
        }

    def log(self, stage: str) -> Path | None:
        """Where to read what happened in a stage."""
        return log_of(self.run, stage, self.states[stage])

    def _plain_stage(self, stage: str) -> dict[str, Any]:
        state = self.states[stage]
        path = self.log(stage) if stage in self.trouble else state.log
        return {
            "state": state.state,
            "reason": state.reason,
            "job": state.job,
            "attempt": state.status.attempt,
            "started": state.status.started,
            "ended": state.status.ended,
            "log": str(path) if path is not None and path.exists() else None,
        }


def last_row(path: Path) -> tuple[int | None, float | None]:
    """Epoch and test accuracy in the last row of a ``log.csv``, of which only the end is read."""
    try:
        with path.open("rb", buffering=0) as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL))
            cells = stream.read().rstrip().rpartition(b"\n")[2].split(b",")
        return int(cells[0]), float(cells[_ACCURACY])
    except (OSError, ValueError, IndexError):
        return None, None
