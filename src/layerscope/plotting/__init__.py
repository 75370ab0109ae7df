"""The figures of a run and of many, from their tables alone; matplotlib is only imported to draw."""

from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.plotter import NCPlotter
from layerscope.plotting.registry import FIGURES
from layerscope.plotting.run_tables import RunTables

__all__ = ["FIGURES", "MATRIX_FIGURES", "NCPlotter", "RunTables"]
