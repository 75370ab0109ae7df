"""What the runs were made with, one by one and in a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from layerscope.config import dump_yaml

Record = Mapping[str, Any]

_ELSEWHERE = ("axes", "name")
"""What the report says in other places."""


def record_of(folder: Path) -> Record:
    """What a run's run.json says; empty when there is none, or it cannot be understood."""
    try:
        content = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def provenance_text(record: Record) -> str:
    """All that a run.json says, as YAML."""
    return dump_yaml({key: value for key, value in record.items() if key not in _ELSEWHERE}) if record else ""


def provenance_summary(records: Iterable[Record]) -> list[str]:
    """Commits, versions and machines, each with the number of runs made with it where they differ."""
    known = [record for record in records if record]
    sides = {
        "commit": [_commit(record) for record in known],
        "layerscope": [_text(record.get("layerscope")) for record in known],
        "Python": [_text(record.get("python")) for record in known],
        "torch": [_text(_libraries(record).get("torch")) for record in known],
        "trained on": [_processor(record) for record in known],
        "host": [_text(record.get("host")) for record in known],
        "platform": [_text(record.get("platform")) for record in known],
    }
    return [f"{side} {_counted(values)}" for side, values in sides.items() if any(values)]


def _commit(record: Record) -> str:
    git = record.get("git")
    if not isinstance(git, Mapping) or not git.get("commit"):
        return ""
    return f"{str(git['commit'])[:10]}{' with uncommitted changes' if git.get('dirty') else ''}"


def _processor(record: Record) -> str:
    """The GPU that the run was trained on; its CPU where there was none."""
    gpu = record.get("train_gpu")
    name = gpu.get("name") if isinstance(gpu, Mapping) else None
    return _text(name or record.get("train_cpu"))


def _libraries(record: Record) -> Mapping[str, object]:
    libraries = record.get("libraries")
    return libraries if isinstance(libraries, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _counted(values: Iterable[str]) -> str:
    counts = Counter(value or "unknown" for value in values)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count} runs)" for value, count in counts.most_common())
