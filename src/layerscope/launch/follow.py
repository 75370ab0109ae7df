"""What a person or a program wants to know of runs: how they stand, and what their processes said."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerscope.launch.states import StageState
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES

States = Mapping[str, StageState]

_POLL_SECONDS = 0.5
_LONGEST_NAME = 44


def status_table(runs: Sequence[RunFolder], states: Sequence[States]) -> str:
    """One line for each run, a line of counts, and what needs attention with its log."""
    width = min(_LONGEST_NAME, max((len(run.name) for run in runs), default=0))
    lines = [f"{'run':{width}}  {'train':9}  {'measure':9}  {'plot':9}  {'epoch':>9}  {'test':>6}  job"]
    lines += [_line(run, state, width) for run, state in zip(runs, states, strict=True)]
    counts = Counter(overall(state) for state in states)
    lines += ["", " · ".join(f"{count} {word}" for word, count in counts.most_common())]
    for run, state in zip(runs, states, strict=True):
        lines += _trouble(run, state)
    return "\n".join(lines) + "\n"


def status_json(runs: Sequence[RunFolder], states: Sequence[States]) -> str:
    """The same for programs: one object with ``runs`` and ``counts``."""
    entries = [_entry(run, state) for run, state in zip(runs, states, strict=True)]
    counts = Counter(overall(state) for state in states)
    return json.dumps({"runs": entries, "counts": counts}, indent=2) + "\n"


def overall(states: States) -> str:
    """The state of a run as a whole: that of its first stage that is not done."""
    return next((states[stage].state for stage in STAGES if states[stage].state != "done"), "done")


def logs(run: RunFolder, stage: str | None = None, *, follow: bool = False) -> Iterator[str]:
    """The newest log of a run, piece by piece; ``follow``: go on as it grows, until interrupted."""
    path = newest_log(run, stage)
    if path is None:
        yield f"{run.name}: no process of it has said anything yet\n"
        return
    yield f"==> {path} <==\n"
    with path.open(encoding="utf-8", errors="replace") as stream:
        yield stream.read()
        while follow:
            time.sleep(_POLL_SECONDS)
            yield stream.read()


def newest_log(run: RunFolder, stage: str | None = None) -> Path | None:
    """What was written last by a process of ``stage``, or of any; None when there is nothing."""
    wanted = [stage] if stage else STAGES
    paths = [path for one in wanted if (path := run.jobs_path / f"{one}.log").exists()]
    return max(paths, key=lambda path: path.stat().st_mtime, default=None)


def _line(run: RunFolder, states: States, width: int) -> str:
    name = run.name if len(run.name) <= width else f"…{run.name[1 - width :]}"
    epoch, accuracy = last_row(run.log_path)
    stages = "  ".join(f"{states[stage].state:9}" for stage in STAGES)
    reached = f"{'-' if epoch is None else epoch}/{run.config.optimizer.epochs}"
    test = "" if accuracy is None else f"{accuracy:.1%}"
    job = next((states[stage].job for stage in reversed(STAGES) if states[stage].state == "running"), "")
    job = job or next((states[stage].job for stage in STAGES if states[stage].state == "queued"), "")
    return f"{name:{width}}  {stages}  {reached:>9}  {test:>6}  {job}".rstrip()


def _trouble(run: RunFolder, states: States) -> list[str]:
    """Why a run needs somebody, and where to read more; blocked stages follow from what blocks them."""
    fine = ("done", "new", "queued", "running", "blocked")
    wrong = [(stage, states[stage]) for stage in STAGES if states[stage].state not in fine]
    lines = []
    for stage, state in wrong:
        lines.append(f"{run.name}: {stage} {state.state}{f': {state.reason}' if state.reason else ''}")
        if state.log is not None:
            lines.append(f"  {state.log}")
    return lines


def _entry(run: RunFolder, states: States) -> dict[str, Any]:
    epoch, accuracy = last_row(run.log_path)
    stages = {
        stage: {"state": state.state, "reason": state.reason, "job": state.job, "log": _text(state.log)}
        for stage, state in states.items()
    }
    return {
        "name": run.name,
        "path": str(run.folder),
        "state": overall(states),
        "epoch": epoch,
        "epochs": run.config.optimizer.epochs,
        "test_accuracy": accuracy,
        "stages": stages,
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def last_row(path: Path) -> tuple[int | None, float | None]:
    """The epoch and the test accuracy of the last row of a ``log.csv``; None without one."""
    try:
        lines = path.read_bytes().splitlines()
        row = dict(zip(lines[0].split(b","), lines[-1].split(b","), strict=True))
        return int(row[b"epoch"]), float(row[b"test_accuracy"])
    except (OSError, ValueError, IndexError, KeyError):
        return None, None
