"""What came of one run in the local queue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerscope.launch.workers.log import last_lines
from layerscope.run_folder import RunFolder

_PAST = {"train": "trained", "measure": "measured", "plot": "plotted"}


@dataclass(frozen=True)
class Finished:
    """What came of one run; as text, what a person wants to read of it.

    Parameters
    ----------
    number, total : int
        The how-manieth run to end, of how many.
    state : str
        "done", "stopped" (it goes on when started again) or "failed".
    worked : tuple of str
        The stages that came to their end now.
    stage, reason : str
        The one that is not done, and why.
    log : Path or None
        What the worker said; None when none was started.
    """

    run: RunFolder
    number: int
    total: int
    state: str
    worked: tuple[str, ...] = ()
    stage: str = ""
    reason: str = ""
    log: Path | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        head, seconds = f"[{self.number}/{self.total}] {self.run.name}: ", f" ({self.seconds:.0f} s)"
        told = [_PAST[stage] for stage in self.worked]
        if self.state == "done":
            return head + (", ".join(told) + seconds if told else "nothing to do")
        told.append(f"{self.stage} {self.state}: {self.reason}")
        return "\n".join([head + ", ".join(told) + seconds, *self._evidence()])

    def _evidence(self) -> list[str]:
        """Where to read more of what failed, and the end of it."""
        if self.state != "failed" or self.log is None:
            return []
        return [f"  {self.log} ends with:", *(f"    {line}" for line in last_lines(self.log))]
