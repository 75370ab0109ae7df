"""A preview as text, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from layerscope.preview.contents import ArrayPreview, Finding, Preview, RunPreview
from layerscope.preview.model_text import model_lines
from layerscope.preview.quantities import bytes_text, hours_text, plural
from layerscope.preview.table import columns, ends_of, listed, wrapped

_RUNS_SHOWN = 16
_NAMES_SHOWN = 3
_MEANING = {"new": "to do"}
_STYLES = {"title": "1", "problem": "1;31", "warning": "33", "done": "32"}


def as_text(preview: Preview, width: int = 100, *, colour: bool = False, scripts: bool = True) -> str:
    """What would be done, to be read from top to bottom; what is wrong comes last, where the eye is.

    Parameters
    ----------
    width : int
        Characters of a line. Names and scripts that are longer stay whole.
    colour : bool
        For terminals.
    scripts : bool
        Show the text for sbatch of one array of each stage.
    """
    page = _Page(width, colour)
    _runs(page, preview)
    for model in preview.models:
        page.section(*model_lines(model, width))
    _disk(page, preview)
    _arrays(page, preview.arrays, scripts=scripts)
    if preview.notes:
        page.section("Notes", [line for note in preview.notes for line in wrapped(note, width, "  ", "  ")])
    page.findings("Warning", "warning", preview.warnings)
    page.findings("Problem", "problem", preview.problems)
    return page.text()


class _Page:
    """Lines with titles; knows the width, and colours only when asked to."""

    def __init__(self, width: int, colour: bool) -> None:
        self.width = width
        self._colour = colour
        self._lines: list[str] = []

    def section(self, title: str, lines: Iterable[str]) -> None:
        """A title with its lines, after an empty one."""
        if self._lines:
            self._lines.append("")
        self._lines += [self._styled(title, "title"), *lines]

    def findings(self, word: str, style: str, findings: Sequence[Finding]) -> None:
        """What is wrong, and with which runs."""
        if not findings:
            return
        lines = []
        for finding in findings:
            first, *rest = wrapped(finding.message, self.width, "  - ", "    ")
            lines += [self._styled(first, style), *(self._styled(line, style) for line in rest)]
            lines += wrapped(_concerned(finding.runs), self.width, "    ")
        self.section(f"{word}s" if len(findings) > 1 else word, lines)

    def text(self) -> str:
        """All of it."""
        return "\n".join(self._lines) + "\n"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text


def _runs(page: _Page, preview: Preview) -> None:
    counted = Counter(_MEANING.get(run.state, run.state) for run in preview.runs)
    states = ", ".join(f"{count:,} {state}" for state, count in counted.items())
    title = f"{plural(len(preview.runs), 'run')} in {preview.base}: {states}"
    axes = [[name, listed(values, page.width - 30)] for name, values in preview.axes.items()]
    page.section(title, [f"  {line}" for line in columns(axes)] if axes else [])
    title = "Runs" if len(preview.runs) > 1 else "Run"
    shared = len({(run.config.optimizer.epochs, run.checkpoints) for run in preview.runs}) == 1
    lines = [f"  {line}" for line in _run_lines(preview.runs, shared)]
    page.section(_kept(title, preview.runs[0], page.width) if shared else title, lines)


def _run_lines(runs: Sequence[RunPreview], shared: bool) -> list[str]:
    """The first and last runs in columns; what all have in common is left out."""
    shown = ends_of([str(place) for place in range(len(runs))], _RUNS_SHOWN, "runs")
    rows = [_row(runs[int(place)], shared) if place.isdigit() else None for place in shown]
    lines = iter(columns([row for row in rows if row is not None]))
    return [next(lines) if row is not None else words for row, words in zip(rows, shown, strict=True)]


def _row(run: RunPreview, shared: bool) -> list[str]:
    epochs, kept = run.config.optimizer.epochs, len(run.checkpoints)
    own = [] if shared else [plural(epochs, "epoch"), plural(kept, "checkpoint")]
    return [run.name, *own, _progress(run)]


def _progress(run: RunPreview) -> str:
    """The state when all stages agree; else that of each stage."""
    if len(set(run.stages.values())) == 1:
        return _MEANING.get(run.state, run.state)
    return ", ".join(f"{stage} {_MEANING.get(state, state)}" for stage, state in run.stages.items())


def _kept(title: str, run: RunPreview, width: int) -> str:
    epochs, kept = plural(run.config.optimizer.epochs, "epoch"), plural(len(run.checkpoints), "checkpoint")
    begin = f"{title}: {epochs}, {kept} (epochs "
    return f"{begin}{listed(run.checkpoints, width - len(begin) - 1, count=False)})"


def _disk(page: _Page, preview: Preview) -> None:
    disk = preview.disk
    if not disk.all_bytes:
        return
    least, most = map(bytes_text, disk.run_bytes)
    each = least if least == most else f"{least} to {most}"
    rows = [["a run", f"{each}: checkpoints and two resume points"]]
    rows.append([plural(len(preview.runs), "run"), bytes_text(disk.all_bytes)])
    if disk.left_bytes != disk.all_bytes:
        rows.append(["still to come", bytes_text(disk.left_bytes)])
    rows.append(["free", bytes_text(disk.free_bytes)])
    page.section("Disk", [f"  {line}" for line in columns(rows)])


def _arrays(page: _Page, arrays: Sequence[ArrayPreview], *, scripts: bool) -> None:
    if not arrays:
        return
    rows = [["", "array", "jobs", "runs", "each job", "starts"]]
    rows += [
        [str(number), array.name, f"{array.jobs:,}", f"{array.runs:,}", array.asks, array.after or "at once"]
        for number, array in enumerate(arrays, 1)
    ]
    shown = ends_of(columns(rows, right=(0, 2, 3)), _RUNS_SHOWN, "arrays")
    hours = sum(array.gpu_hours for array in arrays)
    cost = f"at most {hours_text(hours)} GPU-hours in one turn of each job" if hours else "without GPUs"
    page.section(f"Slurm: {plural(len(arrays), 'array')} of jobs, {cost}", [f"  {line}" for line in shown])
    first = {array.stage: (number, array) for number, array in reversed(list(enumerate(arrays, 1)))}
    for number, array in sorted(first.values(), key=lambda pair: pair[0]) if scripts else ():
        lines = [f"  {line}".rstrip() for line in array.script.splitlines()]
        page.section(f"Script of array {number}", lines)


def _concerned(runs: Sequence[str]) -> str:
    if len(runs) <= 1:
        return f"run: {runs[0]}" if runs and runs[0] else ""
    names = ", ".join(runs[:_NAMES_SHOWN])
    more = f" and {len(runs) - _NAMES_SHOWN:,} more" if len(runs) > _NAMES_SHOWN else ""
    return f"{plural(len(runs), 'run')}: {names}{more}"
