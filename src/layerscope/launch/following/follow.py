"""What a person or a program wants to know of runs: how they stand, and what their workers said."""

from __future__ import annotations

import codecs
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from layerscope.launch.following.log_files import earlier_logs, newest_log
from layerscope.launch.following.standing import Standing, States
from layerscope.launch.following.status_text import coloured, summary, table, troubles
from layerscope.run_folder import RunFolder

_POLL_SECONDS = 0.5


def status_table(
    runs: Sequence[RunFolder], states: Sequence[States], *, width: int = 100, colour: bool = False
) -> str:
    """One line for each run, the counts, and what needs somebody, with its log and the way to retry.

    Parameters
    ----------
    width : int
        Columns to write in; only the paths and reasons of what needs somebody are never cut.
    colour : bool
        For a terminal.
    """
    standings = _standings(runs, states)
    paint = coloured if colour else str
    parts = (table(standings, width), [summary(standings)])
    blocks = [*([paint(line) for line in part] for part in parts), troubles(standings)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def status_json(runs: Sequence[RunFolder], states: Sequence[States]) -> str:
    """The same for programs: one object with ``runs`` and ``counts``."""
    standings = _standings(runs, states)
    counts = Counter(standing.word for standing in standings)
    return (
        json.dumps({"runs": [standing.plain() for standing in standings], "counts": counts}, indent=2) + "\n"
    )


def logs(
    run: RunFolder, stage: str | None = None, *, lines: int | None = None, follow: bool = False
) -> Iterator[str]:
    """The newest log of a run, piece by piece, after its path and those of earlier attempts.

    Parameters
    ----------
    stage : str, optional
        The newest of this stage only.
    lines : int, optional
        Only so many of its last lines.
    follow : bool
        Go on as it grows, and with the logs of later attempts, until interrupted.
    """
    shown, unread = None, None
    with ExitStack() as files:
        while True:
            path = newest_log(run, stage)
            if unread is not None:
                yield unread()
            if path is not None and path != shown:
                yield from _header(path)
                shown, unread = path, _reader(files.enter_context(path.open("rb")))
                yield _last(unread(), lines)
            if not follow:
                break
            time.sleep(_POLL_SECONDS)
    if shown is None:
        yield f"{run.name}: no worker{f' on {stage}' if stage else ''} has said anything yet\n"


def _reader(stream: BinaryIO) -> Callable[[], str]:
    """What gives the text that was not read yet; a letter of which only a part is there has to wait."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return lambda: decoder.decode(stream.read())


def _standings(runs: Sequence[RunFolder], states: Sequence[States]) -> list[Standing]:
    return [Standing(run, stands) for run, stands in zip(runs, states, strict=True)]


def _header(path: Path) -> Iterator[str]:
    yield from (f"earlier: {earlier}\n" for earlier in earlier_logs(path))
    yield f"==> {path} <==\n"


def _last(text: str, lines: int | None) -> str:
    if lines is None:
        return text
    kept = text.splitlines(keepends=True)
    return "".join(kept[max(0, len(kept) - lines) :])
