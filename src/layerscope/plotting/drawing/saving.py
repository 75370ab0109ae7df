"""A figure to files: the same figure is always the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from layerscope.files import write_atomic
from layerscope.plotting.drawing.style import house_style

OPTIONS: dict[str, dict[str, Any]] = {
    # No date: drawing the same tables again must not look like a change.
    "pdf": {"metadata": {"CreationDate": None, "Creator": "layerscope", "Producer": "matplotlib"}},
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 1}},
}


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write the figure to each path, in the format of its suffix, in one step per file."""
    for path in paths:
        write_atomic(path, render(figure, path.suffix.lstrip(".")))


def render(figure: Figure, file_format: str) -> bytes:
    """The figure as the content of a file."""
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=file_format, **OPTIONS[file_format])
    return buffer.getvalue()
