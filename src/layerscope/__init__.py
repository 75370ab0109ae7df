"""What happens inside trained networks, layer by layer: train, checkpoint, measure, plot."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from layerscope.version import __version__

if TYPE_CHECKING:
    from layerscope import functional, statistics
    from layerscope.experiment import Experiment
    from layerscope.plotting import figures
    from layerscope.plotting.plotter import NCPlotter
    from layerscope.run import Run

__all__ = ["Experiment", "NCPlotter", "Run", "__version__", "figures", "functional", "statistics"]

_HOMES = {"Experiment": "experiment", "NCPlotter": "plotting.plotter", "Run": "run"}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``layerscope --help`` does not wait for torch."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"layerscope.{_HOMES[name]}"), name)
    if name in ("functional", "statistics", "figures"):
        home = "layerscope.plotting" if name == "figures" else "layerscope"
        return importlib.import_module(f"{home}.{name}")
    raise AttributeError(f"module 'layerscope' has no attribute {name!r}")
