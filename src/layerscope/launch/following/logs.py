"""What the workers of runs say: all of it so far, or as it comes."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from layerscope.launch.following.log_files import earlier_logs, newest_log
from layerscope.launch.following.standing import States
from layerscope.launch.states.stage_states import stage_states
from layerscope.run_folder import RunFolder

POLL_SECONDS = 0.5
"""Between two looks at the logs."""

ASK_SECONDS = 10.0
"""Between two questions to Slurm's queue. Who follows stops when two in a row find nobody at work.

In the local queue a moment passes between two stages, and between two runs.
"""

_ENOUGH = 2  # answers in a row that nobody is at work
_AT_WORK = ("queued", "running")


class Reader:
    """The newest log of a run, read from where the last reading ended, and on into those of later attempts.

    Parameters
    ----------
    run : RunFolder
    stage : str, optional
        The newest of this stage only.
    """

    def __init__(self, run: RunFolder, stage: str | None = None) -> None:
        self.run, self.stage = run, stage
        self.path: Path | None = None
        self._read = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # half a letter has to wait

    def news(self) -> str:
        """What was said since the last time; first the path of a log that was not read before."""
        newest = newest_log(self.run, self.stage)  # before the rest of the old one, which is over then
        rest = self._unread()
        if newest is None or newest == self.path:
            return rest
        self.path, self._read = newest, 0
        return rest + _header(newest) + self._unread()

    def _unread(self) -> str:
        if self.path is None:
            return ""
        with self.path.open("rb") as stream:
            stream.seek(self._read)
            content = stream.read()
        self._read += len(content)
        return self._decoder.decode(content)


def logs(run: RunFolder, stage: str | None = None) -> str:
    """The newest log of a run, after its path and those of earlier attempts."""
    silent = f"{run.name}: no worker{f' on {stage}' if stage else ''} has said anything yet\n"
    return Reader(run, stage).news() or silent


def follow(
    runs: Sequence[RunFolder],
    stage: str | None = None,
    *,
    states: Callable[[Sequence[RunFolder]], Sequence[States]] = stage_states,
) -> Iterator[str]:
    """The newest logs of runs as they grow, piece by piece, until no stage waits or works any more.

    Of several runs only whole lines are given, each after the name of its run.

    Parameters
    ----------
    stage : str, optional
        The logs of this stage only, until it has ended.
    """
    voices = [_Voice(Reader(run, stage), alone=len(runs) == 1) for run in runs]
    for _ in _looks(lambda: _anybody_at_work(states(runs), stage)):
        yield from (piece for voice in voices if (piece := voice.says()))
    yield from (piece for voice in voices if (piece := voice.ends()))


def _looks(anybody: Callable[[], bool]) -> Iterator[None]:
    """A look now, and one every ``POLL_SECONDS`` as long as there is ``anybody`` at work."""
    idle, asked = 0 if anybody() else _ENOUGH, time.monotonic()
    yield
    while idle < _ENOUGH:
        time.sleep(POLL_SECONDS)
        if time.monotonic() - asked >= ASK_SECONDS:
            idle, asked = 0 if anybody() else idle + 1, time.monotonic()
        yield


class _Voice:
    """A reader whose lines carry the name of its run, unless it speaks alone."""

    def __init__(self, reader: Reader, *, alone: bool) -> None:
        self.reader = reader
        self._prefix = "" if alone else f"{reader.run.name} | "
        self._begun = ""

    def says(self) -> str:
        """What can be printed of the news."""
        news = self.reader.news()
        if not self._prefix:
            return news
        whole, newline, self._begun = (self._begun + news).rpartition("\n")
        return self._prefixed(whole + newline)

    def ends(self) -> str:
        """The line that was begun, or that nothing was ever said."""
        if self._begun:
            return self._prefixed(f"{self._begun}\n")
        return "" if self.reader.path is not None else logs(self.reader.run, self.reader.stage)

    def _prefixed(self, text: str) -> str:
        return "".join(self._prefix + line for line in text.splitlines(keepends=True))


def _anybody_at_work(states: Sequence[States], only: str | None) -> bool:
    told = (pair for stands in states for pair in stands.items())
    return any(state.state in _AT_WORK for stage, state in told if only in (None, stage))


def _header(path: Path) -> str:
    return "".join(f"earlier: {earlier}\n" for earlier in earlier_logs(path)) + f"==> {path} <==\n"
