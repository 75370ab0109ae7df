"""The figures of a run, from its tables alone; matplotlib is imported only when something is drawn."""

from layerscope.plotting.plotter import NCPlotter
from layerscope.plotting.registry import FIGURES
from layerscope.plotting.run_tables import RunTables

__all__ = ["FIGURES", "NCPlotter", "RunTables"]
