"""What an experiment is about, in a title and a paragraph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from layerscope.plotting.drawing.title import LOSSES, OPTIMIZERS, run_title
from layerscope.plotting.report.reported_run import ReportedRun

_MOST_NAMED = 8


def title_of(runs: Sequence[ReportedRun], base: Path) -> str:
    """The run's own title; of several, the name of their folder."""
    return run_title(runs[0].config) if len(runs) == 1 else base.absolute().name


def introduction_of(source: Path | None) -> list[str]:
    """The comments that a config opens with: its question, cost and expected result."""
    try:
        lines = source.read_text(encoding="utf-8").splitlines() if source is not None else []
    except (OSError, UnicodeDecodeError):
        return []
    opening: list[str] = []
    for line in lines:
        if not line.startswith("#"):
            break
        opening.append(line.lstrip("#").strip())
    return [line for line in opening if line and not line.startswith("yaml-language-server")]


def summary_of(runs: Sequence[ReportedRun], axes: Sequence[str]) -> str:
    """One paragraph: what was trained on what, along which axes, and how far it has come."""
    configs = [run.config for run in runs]
    models = _named("model", (config.model.model_name for config in configs))
    data = _named("data set", (config.data.dataset_id for config in configs))
    losses = _named("loss", (LOSSES.get(one.optimizer.loss, one.optimizer.loss) for one in configs))
    optimizers = _named(
        "optimizer", (OPTIMIZERS.get(one.optimizer.optimizer, one.optimizer.optimizer) for one in configs)
    )
    epochs = _listed(sorted({config.optimizer.epochs for config in configs}))
    parts = [
        f"{_runs(len(runs))}: {models} trained on {data} with {losses} and {optimizers} for {epochs} epochs."
    ]
    if axes:
        parts.append(f"They differ in {'; '.join(_axis(name, runs) for name in axes)}.")
    if any(run.state for run in runs):
        counts = Counter(run.state for run in runs)
        parts.append(f"State: {', '.join(f'{count} {state}' for state, count in counts.most_common())}.")
    return " ".join(parts)


def axes_of_runs(runs: Sequence[ReportedRun]) -> list[str]:
    """Names of the axes, in the order of the matrix."""
    return list(dict.fromkeys(name for run in runs for name in run.axes))


def _axis(name: str, runs: Sequence[ReportedRun]) -> str:
    values = dict.fromkeys(str(run.axes[name]) for run in runs if name in run.axes)
    return f"{name} ({_listed(list(values))})"


def _runs(count: int) -> str:
    return "One run" if count == 1 else f"{count:,} runs"


def _named(kind: str, values: Iterable[str]) -> str:
    """The one value there is, or the kind with all of them."""
    there = list(dict.fromkeys(values))
    return there[0] if len(there) == 1 else f"{len(there)} {_plural(kind)} ({_listed(there)})"


def _plural(word: str) -> str:
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _listed(values: Sequence[object]) -> str:
    shown = ", ".join(map(str, values[:_MOST_NAMED]))
    return f"{shown} … {len(values)} in all" if len(values) > _MOST_NAMED else shown
