"""Which files hold what was said about a stage of a run."""

from __future__ import annotations

from pathlib import Path

from layerscope.launch.states.stage_states import StageState
from layerscope.launch.submission.array_folder import ID, JOBS, ArrayFolder
from layerscope.launch.submission.submissions import FOLDER
from layerscope.launch.workers.log import log_path
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES


def newest_log(run: RunFolder, stage: str | None = None) -> Path | None:
    """The log of the newest worker on ``stage``, or on any; None when there was none."""
    wanted = [stage] if stage else STAGES
    found = [path.resolve() for one in wanted if (path := log_path(run.jobs_path, one)).is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def log_of(run: RunFolder, stage: str, state: StageState) -> Path | None:
    """Where to read why a stage stands as it does: Slurm's file when its job ended before it came to work."""
    from_slurm = slurm_log(run.folder, state.job) if state.job and not state.status.started else None
    traceback = run.folder / f"{stage}-error.txt"
    return from_slurm or newest_log(run, stage) or (traceback if traceback.is_file() else None)


def earlier_logs(path: Path) -> list[Path]:
    """The logs of the attempts before the one that ``path`` is of, oldest first."""
    stage = path.name.split(".")[0]
    numbered = {_attempt(found): found for found in path.parent.glob(f"{stage}.*.log")}
    return [numbered[number] for number in sorted(numbered) if number < _attempt(path)]


def slurm_log(folder: Path, job: str) -> Path | None:
    """What Slurm and submitit wrote before and around the work of a job; None when it is not there."""
    array, _, index = job.partition("_")
    places = (folder.absolute(), *folder.absolute().parents)
    base = next((place for place in places if (place / JOBS / FOLDER).is_dir()), None)
    if base is None or not index.isdigit():
        return None
    for found in sorted((base / JOBS).glob(f"*/{ID}")):
        if found.read_text(encoding="utf-8").strip() == array:
            path = ArrayFolder(found.parent).log(int(index), array)
            return path if path.is_file() else None
    return None


def _attempt(path: Path) -> int:
    number = path.name.split(".")[1]
    return int(number) if number.isdigit() else 0
