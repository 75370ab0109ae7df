"""A preview as JSON: one object, for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from layerscope.config import Config
from layerscope.config.names import SECTIONS
from layerscope.config.sections.base import Section
from layerscope.config.sections.slurm import SlurmConfig
from layerscope.preview.contents import Preview, RunPreview


def as_json(preview: Preview) -> str:
    """The whole preview, with each run, array and model on a line of its own."""
    configs = _ConfigTexts()
    parts = {
        "base": json.dumps(str(preview.base)),
        "stages": json.dumps(preview.stages),
        "totals": json.dumps(_totals(preview)),
        "axes": json.dumps(preview.axes),
        "problems": _lines(asdict(finding) for finding in preview.problems),
        "warnings": _lines(asdict(finding) for finding in preview.warnings),
        "notes": json.dumps(preview.notes, ensure_ascii=False),
        "models": _lines(map(asdict, preview.models)),
        "arrays": _lines(asdict(array) for array in preview.arrays),
        "runs": _bracketed(f'{_run(run)[:-1]}, "config": {configs.of(run.config)}}}' for run in preview.runs),
    }
    return "{\n" + ",\n".join(f'"{name}": {text}' for name, text in parts.items()) + "\n}\n"


def _lines(trees: Iterable[Mapping[str, Any]]) -> str:
    return _bracketed(json.dumps(tree, ensure_ascii=False) for tree in trees)


def _bracketed(texts: Iterable[str]) -> str:
    lines = list(texts)
    return "[\n  " + ",\n  ".join(lines) + "\n]" if lines else "[]"


def _totals(preview: Preview) -> dict[str, Any]:
    return {
        "runs": len(preview.runs),
        "states": dict(Counter(run.state for run in preview.runs)),
        "stages": {
            stage: dict(Counter(run.stages[stage] for run in preview.runs)) for stage in preview.stages
        },
        "checkpoints": sum(len(run.checkpoints) for run in preview.runs),
        "disk_bytes": preview.disk.all_bytes,
        "disk_bytes_left": preview.disk.left_bytes,
        "free_bytes": preview.disk.free_bytes,
        "gpu_hours": preview.gpu_hours,
    }


def _run(run: RunPreview) -> str:
    tree = {
        "name": run.name,
        "path": str(run.path),
        "state": run.state,
        "stages": run.stages,
        "differs": run.differs,
        "checkpoints": run.checkpoints,
        "disk_bytes": run.disk_bytes,
        "disk_bytes_left": run.left_bytes,
        "model": run.model if run.model >= 0 else None,
    }
    return json.dumps(tree, ensure_ascii=False)


class _ConfigTexts:
    """Resolved configs; a section that cells share is spelt out once: there may be ten thousand of them."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def of(self, config: Config) -> str:
        """The same as the JSON of ``config.resolved()``."""
        sections = {name: self._section(getattr(config, name.lower())) for name in SECTIONS}
        return "{" + ", ".join(f'"{name}": {text}' for name, text in sections.items() if text) + "}"

    def _section(self, section: Section) -> str:
        if id(section) not in self._texts:
            asked = section.what_is_set() if isinstance(section, SlurmConfig) else section.plain()
            self._texts[id(section)] = json.dumps(asked, ensure_ascii=False) if asked else ""
        return self._texts[id(section)]
